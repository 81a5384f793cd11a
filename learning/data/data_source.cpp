#include "learning/data/data_source.h"

#include <algorithm>
#include <array>
#include <map>

#include "common/spelling.h"
#include "learning/data/internal/csv_source.h"
#include "learning/data/internal/idx_source.h"
#include "learning/data/internal/plugin_source.h"
#include "learning/data/internal/text_source.h"
#include "learning/data/internal/windows_source.h"

namespace hansa::learning {
namespace {

struct BuiltInKind {
  std::string_view name;
  Result<std::unique_ptr<DataSource>> (*open)(const DataConfig&);  // null: open_examples() opens it
};
constexpr std::array built_in_kinds{
    BuiltInKind{"idx", internal::open_idx_source},
    BuiltInKind{"csv", internal::open_csv_source},
    BuiltInKind{"windows", internal::open_windows_source},
    BuiltInKind{"tensors", nullptr},
    BuiltInKind{"text", internal::open_text_source},
    BuiltInKind{"images", nullptr},
    BuiltInKind{"audio", nullptr},
    BuiltInKind{"tokens", nullptr},
    BuiltInKind{"npy", nullptr},
    BuiltInKind{"hdf5", nullptr},
    BuiltInKind{"cifar", nullptr},
    BuiltInKind{"sqlite", nullptr},
    BuiltInKind{"jsonl", nullptr},
};

std::map<std::string, OpenDataSource, std::less<>>& registered() {
  static std::map<std::string, OpenDataSource, std::less<>> kinds;
  return kinds;
}

}  // namespace

DataDescription describe(const ExampleShape& shape) {
  DataDescription out;
  for (const TensorSpec& input : shape.inputs) out.inputs.push_back({input.name, input.type, input.shape});
  if (shape.targets.empty()) {
    out.target = TargetType::none;
    return out;
  }
  const TensorSpec& target = shape.targets.front();
  out.target = target.type == ElementType::int64 ? TargetType::classes : TargetType::real;
  out.class_count = static_cast<std::uint64_t>(target.class_count);
  return out;
}

Result<void> register_data_kind(const std::string& kind, OpenDataSource open) {
  if (is_built_in_data_kind(kind) || !registered().emplace(kind, std::move(open)).second)
    return fail(ErrorCode::usage, "data kind \"" + kind + "\"", "is registered already",
                "choose another name");
  return {};
}

std::vector<std::string> data_kinds() {
  std::vector<std::string> out;
  for (const BuiltInKind& kind : built_in_kinds) out.emplace_back(kind.name);
  for (const auto& [name, open] : registered()) out.push_back(name);
  return out;
}

bool is_built_in_data_kind(std::string_view kind) {
  return std::ranges::find(built_in_kinds, kind, &BuiltInKind::name) != built_in_kinds.end();
}

bool needs_trainer(std::string_view kind) {
  const auto found = std::ranges::find(built_in_kinds, kind, &BuiltInKind::name);
  return found != built_in_kinds.end() && found->open == nullptr;
}

std::string unknown_data_kind_hint(std::string_view kind) {
  const std::vector<std::string> kinds = data_kinds();
  if (const auto near = nearest_word(kind, kinds)) return "did you mean \"" + *near + "\"?";
  std::string all;
  for (const std::string& name : kinds) all += (all.empty() ? "\"" : ", \"") + name + "\"";
  return "the kinds are " + all + "; for a kind of your own, set data.plugin";
}

Result<std::unique_ptr<DataSource>> open_data_source(const DataConfig& config) {
  for (const BuiltInKind& kind : built_in_kinds)
    if (kind.name == config.kind && kind.open != nullptr) return kind.open(config);
  if (!config.plugin.empty()) return internal::open_plugin_source(config);
  if (const auto found = registered().find(config.kind); found != registered().end())
    return found->second(config);
  return fail(ErrorCode::usage, "data.kind", "\"" + config.kind.substr(0, 40) + "\" is not a kind of data",
              unknown_data_kind_hint(config.kind));
}

}  // namespace hansa::learning
