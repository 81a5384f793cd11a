// The trainer's view of data of every kind: examples by index, as flat spans. A program that links Hansa adds a kind of
// its own by deriving from DataSource and registering it.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/data_description.h"
#include "common/digest.h"
#include "common/error.h"
#include "learning/data/data_config.h"
#include "learning/data/example_shape.h"

namespace hansa::learning {

// Memory for one tensor of some examples, one example after the other, aligned for its type. Empty: not wanted.
using TensorBytes = std::span<std::byte>;
// The same as values of type T, whose size is that of the tensor's type.
template <class T>
[[nodiscard]] std::span<T> values_of(TensorBytes bytes) {
  return {reinterpret_cast<T*>(bytes.data()), bytes.size() / sizeof(T)};
}

// The description of examples of this shape whose columns have no names.
[[nodiscard]] DataDescription describe(const ExampleShape& shape);

// Reading is const and thread-safe: threads may use one source concurrently.
class DataSource {
 public:
  virtual ~DataSource() = default;
  [[nodiscard]] virtual std::uint64_t example_count() const = 0;  // at least 1
  [[nodiscard]] virtual const ExampleShape& shape() const = 0;
  // What the federation's data contract is compared with. A source whose columns have names overrides it.
  [[nodiscard]] virtual DataDescription description() const { return describe(shape()); }
  // Bytes of memory that the source occupies.
  [[nodiscard]] virtual std::uint64_t memory_bytes() const = 0;
  // The name of the source in errors: the path of its main file.
  [[nodiscard]] virtual std::string location() const = 0;
  // Writes tensor t of the examples `indices` to tensors[t], which is empty or has indices.size() * shape()[t].bytes()
  // bytes. There is one span for each tensor of shape(): the inputs, then the targets. Fails (data) only if a file is
  // damaged or has changed since it was opened.
  [[nodiscard]] virtual Result<void> read(std::span<const std::uint32_t> indices,
                                          std::span<const TensorBytes> tensors) const = 0;
  // The same with the random changes that the configuration asks for ([data] augment), which example and seed decide.
  [[nodiscard]] virtual Result<void> read_augmented(std::span<const std::uint32_t> indices,
                                                    std::span<const TensorBytes> tensors,
                                                    std::uint64_t /*seed*/) const {
    return read(indices, tensors);
  }
  // Whether an example is decoded when it is read, so that the next batch is worth reading while one is trained on.
  [[nodiscard]] virtual bool decodes() const { return false; }
  // The files that were left out when the source was opened, because they are damaged: why, for each of them.
  [[nodiscard]] virtual std::vector<Error> left_out() const { return {}; }
  // How many further files may turn out to be damaged when their examples are read, which fails with the reason
  // example_invalid. The trainer then replaces these examples by others.
  [[nodiscard]] virtual std::uint64_t damaged_files_max() const { return 0; }
  // What decides whether an example is held out. Empty: the values of its inputs.
  [[nodiscard]] virtual std::optional<Digest> identity(std::uint32_t /*index*/) const { return std::nullopt; }
};

// Tensor `tensor` of these examples as values of type T, whose size is that of the tensor's type.
template <class T>
[[nodiscard]] Result<std::vector<T>> read_tensor(const DataSource& source, std::size_t tensor,
                                                 std::span<const std::uint32_t> indices) {
  std::vector<T> out(indices.size() * source.shape()[tensor].elements());
  std::vector<TensorBytes> tensors(source.shape().size());
  tensors[tensor] = std::as_writable_bytes(std::span(out));
  HANSA_TRY_VOID(source.read(indices, tensors));
  return out;
}

// Opens the source that config describes, if its kind does not need the trainer (needs_trainer). Fails (usage) on an unknown kind, listing the known ones; fails (data) if a
// file is missing, damaged, or holds no example, with the line number where there is one.
[[nodiscard]] Result<std::unique_ptr<DataSource>> open_data_source(const DataConfig& config);

using OpenDataSource = std::function<Result<std::unique_ptr<DataSource>>(const DataConfig&)>;
// Registers `kind`, so that configurations may name it and open_data_source() opens it. Call it from one thread, before
// any configuration is read. Fails (usage) if the name is taken.
[[nodiscard]] Result<void> register_data_kind(const std::string& kind, OpenDataSource open);

// The built-in kinds ("idx", "csv", ...), then the registered ones.
[[nodiscard]] std::vector<std::string> data_kinds();
[[nodiscard]] bool is_built_in_data_kind(std::string_view kind);
// Whether only open_examples() (learning/data_supply.h) opens it, with libraries that the client's process does not load.
[[nodiscard]] bool needs_trainer(std::string_view kind);
// The hint for an unknown kind: the nearest known name, or the list of all kinds.
[[nodiscard]] std::string unknown_data_kind_hint(std::string_view kind);

}  // namespace hansa::learning
