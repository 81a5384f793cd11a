#include "learning/data/internal/plugin_source.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>
#include <mutex>
#include <utility>

#include <dlfcn.h>

#include "learning/data/plugin.h"

namespace hansa::learning::internal {
namespace {

struct CloseLibrary {
  void operator()(void* library) const { ::dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

class PluginSource final : public DataSource {
 public:
  PluginSource(std::string location, Library library, const hansa_data_plugin& plugin, void* self,
               const hansa_data_shape& shape)
      : location_(std::move(location)), library_(std::move(library)), plugin_(plugin), self_(self) {
    count_ = shape.examples;
    shape_.input.assign(shape.input_sizes, shape.input_sizes + shape.input_rank);
    shape_.target_kind = shape.classes > 0 ? TargetKind::class_index : TargetKind::real;
    shape_.class_count = shape.classes;
  }
  ~PluginSource() override { plugin_.close(self_); }
  PluginSource(const PluginSource&) = delete;
  PluginSource& operator=(const PluginSource&) = delete;

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return 0;
  }  // the plugin's own memory is not known
  [[nodiscard]] std::string location() const override { return location_; }

  void read_inputs(std::span<const std::uint32_t> indices, std::span<float> inputs) const override {
    const std::scoped_lock lock(mutex_);
    read(indices);
    std::copy_n(inputs_.begin(), inputs.size(), inputs.begin());
  }
  void read_targets(std::span<const std::uint32_t> indices, std::span<std::int64_t> targets) const override {
    const std::scoped_lock lock(mutex_);
    read(indices);
    std::copy_n(labels_.begin(), targets.size(), targets.begin());
  }
  void read_targets(std::span<const std::uint32_t> indices, std::span<float> targets) const override {
    const std::scoped_lock lock(mutex_);
    read(indices);
    std::copy_n(values_.begin(), targets.size(), targets.begin());
  }

 private:
  // The plugin reads inputs and targets in one call, but DataSource reads them separately.
  void read(std::span<const std::uint32_t> indices) const {
    if (std::ranges::equal(indices, last_)) return;
    last_.assign(indices.begin(), indices.end());
    inputs_.resize(indices.size() * shape_.input_elements());
    labels_.resize(indices.size());
    values_.resize(indices.size());
    plugin_.read(self_, indices.data(), indices.size(), inputs_.data(), labels_.data(), values_.data());
  }

  std::string location_;
  Library library_;
  const hansa_data_plugin& plugin_;
  void* self_;
  std::uint64_t count_ = 0;
  ExampleShape shape_;
  mutable std::mutex mutex_;
  mutable std::vector<std::uint32_t> last_;
  mutable std::vector<float> inputs_;
  mutable std::vector<std::int64_t> labels_;
  mutable std::vector<float> values_;
};

std::string first_line(std::string text) {
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

bool is_possible(const hansa_data_shape& shape) {
  if (shape.examples == 0 || shape.examples > std::numeric_limits<std::uint32_t>::max() ||
      shape.classes < 0 || shape.input_rank == 0 || shape.input_rank > HANSA_DATA_RANK_MAX)
    return false;
  std::uint64_t elements = 1;
  for (std::uint32_t i = 0; i < shape.input_rank; ++i) {
    const std::int64_t size = shape.input_sizes[i];
    if (size < 1 || size > (std::int64_t{1} << 28)) return false;
    elements *= static_cast<std::uint64_t>(size);
    if (elements > (std::uint64_t{1} << 28)) return false;
  }
  return true;
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_plugin_source(const DataConfig& config) {
  const std::string location = config.plugin.string();
  // The path gets a slash, so that the loader does not search the system's folders.
  const std::string path = config.plugin.has_parent_path() ? location : "./" + location;
  Library library(::dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL));
  if (!library) {
    const char* reason = ::dlerror();
    return fail(ErrorCode::usage, location, std::string("cannot be loaded (") + (reason ? reason : "") + ")",
                "set data.plugin to a shared library built for this machine");
  }
  const auto entry =
      reinterpret_cast<hansa_data_plugin_entry_function>(::dlsym(library.get(), HANSA_DATA_PLUGIN_ENTRY));
  const hansa_data_plugin* plugin = entry == nullptr ? nullptr : entry();
  if (plugin == nullptr)
    return fail(ErrorCode::usage, location,
                "is not a data plugin: it has no function " HANSA_DATA_PLUGIN_ENTRY,
                "build it as learning/data/plugin.h describes");
  if (plugin->version != HANSA_DATA_PLUGIN_VERSION)
    return fail(ErrorCode::usage, location,
                "is a data plugin of version " + std::to_string(plugin->version) +
                    ", but this Hansa needs version " + std::to_string(HANSA_DATA_PLUGIN_VERSION),
                "build it with the headers of this Hansa");
  if (plugin->name == nullptr || config.kind != plugin->name)
    return fail(ErrorCode::usage, "data.kind",
                "is \"" + config.kind + "\", but " + location + " registers \"" +
                    (plugin->name == nullptr ? "" : plugin->name) + "\"",
                "set data.kind to the plugin's name");

  const std::string file = config.file.string();
  const hansa_data_settings settings{file.c_str(), config.options.c_str(), config.label.c_str(),
                                     config.window, config.stride};
  hansa_data_shape shape{};
  std::array<char, 512> error{};
  void* self = plugin->open(&settings, &shape, error.data(), error.size());
  if (self == nullptr) {
    error.back() = '\0';
    const std::string reason = first_line(error.data());
    return fail(ErrorCode::data, location,
                reason.empty() ? "could not open its data, and gives no reason" : reason);
  }
  if (!is_possible(shape)) {
    plugin->close(self);
    return fail(ErrorCode::data, location, "reports no example, or examples of an invalid shape",
                "fix the plugin: learning/data/plugin.h describes the shape");
  }
  if (config.examples_max > 0) shape.examples = std::min(shape.examples, config.examples_max);
  return std::make_unique<PluginSource>(location, std::move(library), *plugin, self, shape);
}

}  // namespace hansa::learning::internal
