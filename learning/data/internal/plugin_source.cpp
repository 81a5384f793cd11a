#include "learning/data/internal/plugin_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <limits>
#include <mutex>
#include <optional>
#include <utility>

#include <dlfcn.h>

#include "learning/data/plugin.h"

namespace hansa::learning::internal {
namespace {

struct CloseLibrary {
  void operator()(void* library) const { ::dlclose(library); }
};
using Library = std::unique_ptr<void, CloseLibrary>;

// What the versions have in common. Plugin: hansa_data_plugin or hansa_data_plugin_2.
template <class Plugin>
class OpenedPlugin : public DataSource {
 public:
  OpenedPlugin(std::string location, Library library, const Plugin& plugin, void* self, std::uint64_t count,
               ExampleShape shape)
      : location_(std::move(location)),
        library_(std::move(library)),
        plugin_(plugin),
        self_(self),
        count_(count),
        shape_(std::move(shape)) {}
  ~OpenedPlugin() override { plugin_.close(self_); }
  OpenedPlugin(const OpenedPlugin&) = delete;
  OpenedPlugin& operator=(const OpenedPlugin&) = delete;

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  // The plugin's own memory is not known.
  [[nodiscard]] std::uint64_t memory_bytes() const override { return 0; }
  [[nodiscard]] std::string location() const override { return location_; }

 protected:
  const Plugin& plugin() const { return plugin_; }
  void* self() const { return self_; }
  mutable std::mutex mutex_;  // a plugin is called by one thread at a time

 private:
  std::string location_;
  Library library_;
  const Plugin& plugin_;
  void* self_;
  std::uint64_t count_;
  ExampleShape shape_;
};

class PluginSource final : public OpenedPlugin<hansa_data_plugin> {
 public:
  using OpenedPlugin::OpenedPlugin;

  // The plugin writes the input and both kinds of target in each call.
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    const std::scoped_lock lock(mutex_);
    inputs_.resize(indices.size() * shape().inputs[0].elements());
    labels_.resize(indices.size());
    values_.resize(indices.size());
    plugin().read(self(), indices.data(), indices.size(), inputs_.data(), labels_.data(), values_.data());
    const auto copy = [](const auto& values, TensorBytes to) {
      if (!to.empty()) std::memcpy(to.data(), values.data(), to.size());
    };
    copy(inputs_, tensors[0]);
    if (shape().targets[0].type == ElementType::int64) copy(labels_, tensors[1]);
    else copy(values_, tensors[1]);
    return {};
  }

 private:
  mutable std::vector<float> inputs_;
  mutable std::vector<std::int64_t> labels_;
  mutable std::vector<float> values_;
};

class TypedPluginSource final : public OpenedPlugin<hansa_data_plugin_2> {
 public:
  using OpenedPlugin::OpenedPlugin;

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    std::vector<void*> pointers;
    for (const TensorBytes tensor : tensors) pointers.push_back(tensor.empty() ? nullptr : tensor.data());
    const std::scoped_lock lock(mutex_);
    plugin().read(self(), indices.data(), indices.size(), pointers.data());
    for (std::size_t t = 0; t < tensors.size(); ++t)
      if (shape()[t].type == ElementType::boolean)
        for (std::byte& value : tensors[t]) value = std::byte{value != std::byte{0}};
    return {};
  }
};

std::string first_line(std::string text) {
  text.resize(std::min(text.find_first_of("\r\n"), text.size()));
  return text;
}

bool is_count(std::uint64_t examples) {
  return examples > 0 && examples <= std::numeric_limits<std::uint32_t>::max();
}

bool are_sizes(std::span<const std::int64_t> sizes) {
  constexpr std::int64_t most = std::int64_t{1} << 28;
  std::int64_t elements = 1;
  for (const std::int64_t size : sizes) {
    if (size < 1 || size > most) return false;
    elements *= size;
    if (elements > most) return false;
  }
  return true;
}

bool is_possible(const hansa_data_shape& shape) {
  return is_count(shape.examples) && shape.classes >= 0 && shape.input_rank > 0 &&
         shape.input_rank <= HANSA_DATA_RANK_MAX && are_sizes({shape.input_sizes, shape.input_rank});
}

// Empty if no examples can have it.
std::optional<TensorSpec> spec_of(const hansa_data_tensor& tensor) {
  TensorSpec out;
  out.name.assign(tensor.name, ::strnlen(tensor.name, HANSA_DATA_NAME_BYTES));
  if (out.name.empty() || out.name.size() == HANSA_DATA_NAME_BYTES || tensor.type >= element_types ||
      tensor.role > HANSA_DATA_TARGET || tensor.rank > HANSA_DATA_RANK_MAX ||
      !are_sizes({tensor.sizes, tensor.rank}))
    return std::nullopt;
  out.type = static_cast<ElementType>(tensor.type);
  out.shape.assign(tensor.sizes, tensor.sizes + tensor.rank);
  out.class_count = tensor.classes;
  const bool is_target = tensor.role == HANSA_DATA_TARGET;
  const bool has_classes = is_target && out.type == ElementType::int64;
  if (is_target && !has_classes && out.type != ElementType::float32) return std::nullopt;
  if (out.class_count < 0 || (out.class_count > 0 && !has_classes)) return std::nullopt;
  return out;
}

std::optional<ExampleShape> shape_of(const hansa_data_examples& examples) {
  if (!is_count(examples.examples) || examples.tensor_count > HANSA_DATA_TENSORS_MAX) return std::nullopt;
  ExampleShape out;
  for (const hansa_data_tensor& tensor : std::span(examples.tensors).first(examples.tensor_count)) {
    auto spec = spec_of(tensor);
    if (!spec || (tensor.role == HANSA_DATA_INPUT && !out.targets.empty())) return std::nullopt;
    for (std::size_t t = 0; t < out.size(); ++t)
      if (out[t].name == spec->name) return std::nullopt;
    (tensor.role == HANSA_DATA_INPUT ? out.inputs : out.targets).push_back(std::move(*spec));
  }
  if (out.inputs.empty()) return std::nullopt;
  return out;
}

Result<void> check_entry(const DataConfig& config, std::uint32_t version, std::uint32_t expected,
                         const char* name) {
  const std::string location = config.plugin.string();
  if (version != expected)
    return fail(ErrorCode::usage, location,
                "is a data plugin of version " + std::to_string(version) +
                    ", but its entry is that of version " + std::to_string(expected),
                "build it with the headers of this Hansa");
  if (name == nullptr || config.kind != name)
    return fail(ErrorCode::usage, "data.kind",
                "is \"" + config.kind + "\", but " + location + " registers \"" +
                    (name == nullptr ? "" : name) + "\"",
                "set data.kind to the plugin's name");
  return {};
}

// open(settings, error, error_size) returns the plugin's object.
template <class Open>
Result<void*> open_with(const DataConfig& config, const Open& open) {
  const std::string file = config.file.string();
  const hansa_data_settings settings{file.c_str(), config.options.c_str(), config.label.c_str(),
                                     config.window, config.stride};
  std::array<char, 512> error{};
  if (void* self = open(&settings, error.data(), error.size())) return self;
  error.back() = '\0';
  const std::string reason = first_line(error.data());
  return fail(ErrorCode::data, config.plugin.string(),
              reason.empty() ? "could not open its data, and gives no reason" : reason);
}

tl::unexpected<Error> impossible(const DataConfig& config) {
  return fail(ErrorCode::data, config.plugin.string(), "reports no example, or examples of an invalid shape",
              "fix the plugin: learning/data/plugin.h describes the shape");
}

std::uint64_t limited(std::uint64_t examples, const DataConfig& config) {
  return config.examples_max > 0 ? std::min(examples, config.examples_max) : examples;
}

Result<std::unique_ptr<DataSource>> open_first(const DataConfig& config, Library library,
                                               const hansa_data_plugin& plugin) {
  HANSA_TRY_VOID(check_entry(config, plugin.version, HANSA_DATA_PLUGIN_VERSION, plugin.name));
  hansa_data_shape shape{};
  HANSA_TRY(void* self, open_with(config, [&](const auto* settings, char* error, std::size_t size) {
              return plugin.open(settings, &shape, error, size);
            }));
  if (!is_possible(shape)) {
    plugin.close(self);
    return impossible(config);
  }
  return std::make_unique<PluginSource>(
      config.plugin.string(), std::move(library), plugin, self, limited(shape.examples, config),
      one_input({shape.input_sizes, shape.input_sizes + shape.input_rank},
                shape.classes > 0 ? class_target(shape.classes) : real_target()));
}

Result<std::unique_ptr<DataSource>> open_second(const DataConfig& config, Library library,
                                                const hansa_data_plugin_2& plugin) {
  HANSA_TRY_VOID(check_entry(config, plugin.version, HANSA_DATA_PLUGIN_VERSION_2, plugin.name));
  hansa_data_examples examples{};
  HANSA_TRY(void* self, open_with(config, [&](const auto* settings, char* error, std::size_t size) {
              return plugin.open(settings, &examples, error, size);
            }));
  auto shape = shape_of(examples);
  if (!shape) {
    plugin.close(self);
    return impossible(config);
  }
  return std::make_unique<TypedPluginSource>(config.plugin.string(), std::move(library), plugin, self,
                                             limited(examples.examples, config), std::move(*shape));
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
  if (const auto entry = reinterpret_cast<hansa_data_plugin_entry_2_function>(
          ::dlsym(library.get(), HANSA_DATA_PLUGIN_ENTRY_2)))
    if (const hansa_data_plugin_2* plugin = entry()) return open_second(config, std::move(library), *plugin);
  if (const auto entry =
          reinterpret_cast<hansa_data_plugin_entry_function>(::dlsym(library.get(), HANSA_DATA_PLUGIN_ENTRY)))
    if (const hansa_data_plugin* plugin = entry()) return open_first(config, std::move(library), *plugin);
  return fail(ErrorCode::usage, location,
              "is not a data plugin: it has no function " HANSA_DATA_PLUGIN_ENTRY_2,
              "build it as learning/data/plugin.h describes");
}

}  // namespace hansa::learning::internal
