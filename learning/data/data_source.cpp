#include "learning/data/data_source.h"

#include <algorithm>
#include <array>
#include <map>
#include <numeric>

#include "common/spelling.h"
#include "learning/data/internal/csv_source.h"
#include "learning/data/internal/idx_source.h"
#include "learning/data/internal/plugin_source.h"
#include "learning/data/internal/text_source.h"
#include "learning/data/internal/windows_source.h"

namespace hansa::learning {
namespace {

constexpr std::array<std::string_view, 5> built_in_kinds{"idx", "csv", "windows", "tensors", "text"};

std::map<std::string, OpenDataSource, std::less<>>& registered() {
  static std::map<std::string, OpenDataSource, std::less<>> kinds;
  return kinds;
}

std::size_t product(const std::vector<std::int64_t>& shape) {
  return static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

}  // namespace

std::size_t ExampleShape::input_elements() const { return product(input); }
std::size_t ExampleShape::target_elements() const { return product(target); }

DataDescription describe(const ExampleShape& shape) {
  DataDescription out;
  out.input.shape = shape.input;
  out.target = shape.target_kind == TargetKind::real ? TargetType::real : TargetType::classes;
  out.class_count = static_cast<std::uint64_t>(shape.class_count);
  return out;
}

Result<void> register_data_kind(const std::string& kind, OpenDataSource open) {
  if (is_built_in_data_kind(kind) || !registered().emplace(kind, std::move(open)).second)
    return fail(ErrorCode::usage, "data kind \"" + kind + "\"", "is registered already",
                "choose another name");
  return {};
}

std::vector<std::string> data_kinds() {
  std::vector<std::string> out(built_in_kinds.begin(), built_in_kinds.end());
  for (const auto& [name, open] : registered()) out.push_back(name);
  return out;
}

bool is_built_in_data_kind(std::string_view kind) {
  return std::ranges::find(built_in_kinds, kind) != built_in_kinds.end();
}

std::string unknown_data_kind_hint(std::string_view kind) {
  const std::vector<std::string> kinds = data_kinds();
  if (const auto near = nearest_word(kind, kinds)) return "did you mean \"" + *near + "\"?";
  std::string all;
  for (const std::string& name : kinds) all += (all.empty() ? "\"" : ", \"") + name + "\"";
  return "the kinds are " + all + "; for a kind of your own, set data.plugin";
}

Result<std::unique_ptr<DataSource>> open_data_source(const DataConfig& config) {
  if (config.kind == "idx") return internal::open_idx_source(config);
  if (config.kind == "csv") return internal::open_csv_source(config);
  if (config.kind == "windows") return internal::open_windows_source(config);
  if (config.kind == "text") return internal::open_text_source(config);
  if (!config.plugin.empty()) return internal::open_plugin_source(config);
  if (const auto found = registered().find(config.kind); found != registered().end())
    return found->second(config);
  return fail(ErrorCode::usage, "data.kind", "\"" + config.kind.substr(0, 40) + "\" is not a kind of data",
              unknown_data_kind_hint(config.kind));
}

}  // namespace hansa::learning
