#include "learning/internal/tensors_source.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cmath>
#include <cstring>
#include <limits>
#include <optional>

#include <fcntl.h>
#include <sys/mman.h>

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/unpickler.h>
#include <torch/script.h>

#include "common/descriptor.h"
#include "common/text.h"
#include "learning/internal/tensor_bounds.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {
namespace {

// A file mapped into memory, read on demand. Tensors that point into it keep it alive.
class MappedFile {
 public:
  static Result<std::shared_ptr<MappedFile>> open(const std::filesystem::path& path) {
    const auto bad = [&](const char* what, const char* hint) {
      return fail(ErrorCode::data, path.string(), what, hint, {ReasonCode::data_unreadable, {}});
    };
    std::error_code error;
    if (!std::filesystem::exists(path, error))
      return bad("does not exist", "set data.file to a file written by torch.save");
    if (!std::filesystem::is_regular_file(path, error))
      return bad("is not a file", "set data.file to a file written by torch.save");
    const Descriptor file(::open(path.c_str(), O_RDONLY | O_CLOEXEC));
    const std::uint64_t size = std::filesystem::file_size(path, error);
    if (!file || error)
      return bad("cannot be opened", "give the user that runs this program read permission");
    if (size == 0) return bad("is empty", "fetch or copy the file again");
    void* memory = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (memory == MAP_FAILED) return bad("cannot be mapped into memory", "copy it to a local disk");
    return std::shared_ptr<MappedFile>(new MappedFile(static_cast<std::byte*>(memory), size));
  }
  ~MappedFile() { ::munmap(begin_, size_); }
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  [[nodiscard]] std::byte* begin() const { return begin_; }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  MappedFile(std::byte* begin, std::uint64_t size) : begin_(begin), size_(size) {}
  std::byte* begin_;
  std::uint64_t size_;
};

bool lies_within(const at::Tensor& tensor, const MappedFile& file) {
  const auto* data = static_cast<const std::byte*>(tensor.storage().data_ptr().get());
  if (tensor.numel() == 0) return true;
  if (data < file.begin() || data >= file.begin() + file.size()) return false;
  return learning::lies_within(tensor, static_cast<std::uint64_t>(file.begin() + file.size() - data));
}

struct NamedTensor {
  std::string name;
  at::Tensor tensor;
};
struct LoadedTensors {
  std::vector<NamedTensor> inputs;
  std::vector<NamedTensor> targets;  // named "y", or "y_" with more behind it

  [[nodiscard]] std::size_t size() const { return inputs.size() + targets.size(); }
  [[nodiscard]] const NamedTensor& operator[](std::size_t i) const {
    return i < inputs.size() ? inputs[i] : targets[i - inputs.size()];
  }
};
constexpr const char* write_hint = "write it with torch.save({\"x\": x, \"y\": y}, file)";
constexpr std::size_t tensors_max = 16;

Result<at::Tensor> usable(const at::Tensor& tensor, const std::string& key, const std::string& location,
                          const MappedFile& file) {
  if (tensor.layout() != at::kStrided || tensor.is_quantized() || tensor.is_complex())
    return fail(ErrorCode::data, location, "has a sparse, quantised or complex tensor \"" + key + "\"",
                "save a plain tensor");
  if (!lies_within(tensor, file))
    return fail(ErrorCode::data, location, "is damaged: tensor \"" + key + "\" extends beyond the file",
                "fetch or copy the file again");
  return tensor.contiguous();
}

// The dict's tensors by name, in the order in which they were saved.
Result<LoadedTensors> find_tensors(const c10::IValue& value, const std::string& location,
                                   const MappedFile& file) {
  LoadedTensors out;
  for (const auto& entry : value.toGenericDict()) {
    if (!entry.key().isString() || !entry.value().isTensor())
      return fail(ErrorCode::data, location, "holds something that is not a tensor with a name", write_hint);
    const std::string& name = entry.key().toStringRef();
    if (name.empty() || name.size() > 64 || !is_utf8(name) || printable(name) != name)
      return fail(ErrorCode::data, location, "has a tensor whose name is no argument's", write_hint);
    HANSA_TRY(at::Tensor tensor, usable(entry.value().toTensor(), name, location, file));
    const bool is_target = name == "y" || name.starts_with("y_");
    (is_target ? out.targets : out.inputs).push_back({name, std::move(tensor)});
  }
  if (out.inputs.empty()) return fail(ErrorCode::data, location, "has no tensor \"x\"", write_hint);
  if (out.size() > tensors_max)
    return fail(ErrorCode::data, location,
                "has " + std::to_string(out.size()) + " tensors, and 16 are the most",
                "save fewer of them in the file");
  return out;
}

// Python writes a dict of one entry with the opcode SETITEM, which LibTorch does not know. The same entry with SETITEMS, which
// takes all that follow a MARK, is equal.
std::string with_known_opcodes(std::string_view pickle) {
  using namespace std::string_view_literals;
  constexpr std::string_view empty_dict = "\x80\x02}q\0"sv;  // of protocol 2, stored as object 0
  std::string out(pickle);
  if (!pickle.starts_with(empty_dict) || pickle.substr(empty_dict.size()).starts_with('(') ||
      !pickle.ends_with("s."))
    return out;
  out[out.size() - 2] = 'u';
  return out.insert(empty_dict.size(), 1, '(');
}

Result<LoadedTensors> load(const std::filesystem::path& path) {
  const std::string location = path.string();
  HANSA_TRY(const std::shared_ptr<MappedFile> file, MappedFile::open(path));
  constexpr std::array<std::byte, 2> zip{std::byte{'P'}, std::byte{'K'}};
  if (file->size() < 64 || !std::equal(zip.begin(), zip.end(), file->begin()))
    return fail(ErrorCode::data, location,
                "was not written by torch.save, or has the format before PyTorch 1.6", write_hint);
  caffe2::serialize::PyTorchStreamReader reader(location);
  const auto [pickle, pickle_size] = reader.getRecord("data.pkl");
  const std::string text = with_known_opcodes({static_cast<const char*>(pickle.get()), pickle_size});
  std::size_t taken = 0;
  const auto read = [&](char* out, std::size_t wanted) {
    const std::size_t n = std::min(wanted, text.size() - taken);
    std::memcpy(out, text.data() + taken, n);
    taken += n;
    return n;
  };
  const auto read_record = [&](const std::string& name) {
    const std::size_t offset = reader.getRecordOffset("data/" + name);
    TORCH_CHECK(offset < file->size() && offset % 8 == 0, "the record ", name, " does not fit the file");
    return at::DataPtr(
        file->begin() + offset, new std::shared_ptr<MappedFile>(file),
        [](void* held) { delete static_cast<std::shared_ptr<MappedFile>*>(held); }, at::kCPU);
  };
  torch::jit::Unpickler unpickler(read, nullptr, nullptr, read_record, at::Device(at::kCPU));
  const c10::IValue value = unpickler.parse_ivalue();
  if (!value.isGenericDict()) return fail(ErrorCode::data, location, "does not hold a dict", write_hint);
  return find_tensors(value, location, *file);
}

// Calls f with a typed pointer to the tensor's values.
template <class F>
auto visit_values(const at::Tensor& tensor, F f) {
  const void* data = tensor.data_ptr();
  switch (tensor.scalar_type()) {
    case at::kDouble: return f(static_cast<const double*>(data));
    case at::kHalf: return f(static_cast<const at::Half*>(data));
    case at::kBFloat16: return f(static_cast<const at::BFloat16*>(data));
    case at::kByte: return f(static_cast<const std::uint8_t*>(data));
    case at::kChar: return f(static_cast<const std::int8_t*>(data));
    case at::kShort: return f(static_cast<const std::int16_t*>(data));
    case at::kInt: return f(static_cast<const std::int32_t*>(data));
    case at::kLong: return f(static_cast<const std::int64_t*>(data));
    // The bytes of a file may be others than 0 and 1.
    case at::kBool: return f(static_cast<const std::uint8_t*>(data));
    default:
      TORCH_CHECK(tensor.scalar_type() == at::kFloat, "no numbers");
      return f(static_cast<const float*>(data));
  }
}

template <class To>
void copy_rows(const at::Tensor& tensor, std::size_t size, std::span<const std::uint32_t> indices,
               TensorBytes to_bytes) {
  const std::span<To> out = values_of<To>(to_bytes);
  assert(out.size() == indices.size() * size);
  visit_values(tensor, [&](const auto* values) {
    To* to = out.data();
    for (const std::uint32_t index : indices) {
      const auto* row = values + index * size;
      for (std::size_t i = 0; i < size; ++i) *to++ = static_cast<To>(row[i]);
    }
  });
}

// The first example with a value that is infinite, NaN or beyond float32.
std::optional<std::size_t> first_not_finite(const at::Tensor& tensor, std::size_t count, std::size_t size) {
  if (!tensor.is_floating_point()) return std::nullopt;
  return visit_values(tensor, [&](const auto* values) -> std::optional<std::size_t> {
    for (std::size_t i = 0; i < count * size; ++i)
      if (!std::isfinite(static_cast<float>(values[i]))) return i / size;
    return std::nullopt;
  });
}

class TensorsSource final : public DataSource {
 public:
  TensorsSource(std::string location, LoadedTensors tensors, ExampleShape shape, std::uint64_t count)
      : location_(std::move(location)),
        tensors_(std::move(tensors)),
        shape_(std::move(shape)),
        count_(count) {}

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  // The file is mapped, so the system can reclaim its pages.
  [[nodiscard]] std::uint64_t memory_bytes() const override { return 0; }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    for (std::size_t t = 0; t < tensors.size(); ++t) {
      if (tensors[t].empty()) continue;
      const at::Tensor& from = tensors_[t].tensor;
      const std::size_t size = shape_[t].elements();
      switch (shape_[t].type) {
        case ElementType::float32: copy_rows<float>(from, size, indices, tensors[t]); break;
        case ElementType::uint8: copy_rows<std::uint8_t>(from, size, indices, tensors[t]); break;
        case ElementType::boolean:
          copy_rows<std::uint8_t>(from, size, indices, tensors[t]);
          for (std::byte& value : tensors[t]) value = std::byte{value != std::byte{0}};
          break;
        case ElementType::int32: copy_rows<std::int32_t>(from, size, indices, tensors[t]); break;
        case ElementType::int64: copy_rows<std::int64_t>(from, size, indices, tensors[t]); break;
      }
    }
    return {};
  }

 private:
  std::string location_;
  LoadedTensors tensors_;
  ExampleShape shape_;
  std::uint64_t count_;
};

Result<void> check_counts(const LoadedTensors& tensors, const std::string& location) {
  const NamedTensor& first = tensors[0];
  for (std::size_t i = 0; i < tensors.size(); ++i) {
    const auto& [name, tensor] = tensors[i];
    if (tensor.dim() < 1)
      return fail(ErrorCode::data, location, "has a tensor \"" + name + "\" without dimensions",
                  "the first dimension must be the number of examples");
    if (tensor.size(0) != first.tensor.size(0))
      return fail(ErrorCode::data, location,
                  "has " + std::to_string(first.tensor.size(0)) + " examples in " + first.name + ", but " +
                      std::to_string(tensor.size(0)) + " in " + name,
                  "save all tensors with the same number of examples");
    if (tensor.size(0) > 0 && tensor.numel() == 0)
      return fail(ErrorCode::data, location, "has a tensor \"" + name + "\" without a value",
                  "save all of it, or leave it out");
  }
  if (first.tensor.size(0) == 0)
    return fail(ErrorCode::data, location, "holds no example", "give this client examples",
                {ReasonCode::too_few_examples, {}});
  if (first.tensor.size(0) > std::int64_t{std::numeric_limits<std::uint32_t>::max()})
    return fail(ErrorCode::data, location, "holds more than 4,294,967,295 examples", "split it",
                {ReasonCode::data_too_large, {}});
  return {};
}

// Floating point becomes float32, and so do the small integers, which hold pixels and samples. The types of numbers that
// name something (token ids, indices) are kept.
ElementType input_type(at::ScalarType type) {
  switch (type) {
    case at::kInt: return ElementType::int32;
    case at::kLong: return ElementType::int64;
    case at::kBool: return ElementType::boolean;
    default: return ElementType::float32;
  }
}

TensorSpec spec_of(const NamedTensor& from, ElementType type) {
  const auto sizes = from.tensor.sizes().slice(1);
  return {from.name, type, std::vector<std::int64_t>(sizes.begin(), sizes.end()), 0};
}

// Real numbers, or class labels.
Result<TensorSpec> target_of(const NamedTensor& from, const std::string& location, std::int64_t count) {
  if (from.tensor.is_floating_point()) return spec_of(from, ElementType::float32);
  TensorSpec out = spec_of(from, ElementType::int64);
  if (out.shape == std::vector<std::int64_t>{1}) out.shape.clear();
  const at::Tensor labels = from.tensor.narrow(0, 0, count).to(at::kLong).flatten();
  const at::Tensor wrong = at::logical_and(labels.lt(0), labels.ne(ignored_label));
  if (wrong.any().item<bool>()) {
    const auto least = wrong.to(at::kByte).argmax().item<std::int64_t>();
    const auto example = static_cast<std::uint64_t>(least) / out.elements();
    return fail(ErrorCode::data, location + ": example " + std::to_string(example),
                "has the label " + std::to_string(labels[least].item<std::int64_t>()),
                "labels are integers from 0; -100 is a place that does not count",
                {ReasonCode::example_invalid, {{Quantity::example, example}}});
  }
  out.class_count = std::max<std::int64_t>(labels.max().item<std::int64_t>(), -1) + 1;
  return out;
}

Result<ExampleShape> shape_of(const LoadedTensors& tensors, const std::string& location, std::int64_t count) {
  ExampleShape shape;
  for (const NamedTensor& input : tensors.inputs)
    shape.inputs.push_back(spec_of(input, input_type(input.tensor.scalar_type())));
  for (const NamedTensor& target : tensors.targets) {
    HANSA_TRY(TensorSpec spec, target_of(target, location, count));
    shape.targets.push_back(std::move(spec));
  }
  return shape;
}

Result<std::unique_ptr<DataSource>> open_unguarded(const DataConfig& config) {
  const std::string location = config.file.string();
  HANSA_TRY(LoadedTensors tensors, load(config.file));
  HANSA_TRY_VOID(check_counts(tensors, location));
  auto count = static_cast<std::uint64_t>(tensors[0].tensor.size(0));
  if (config.examples_max > 0) count = std::min(count, config.examples_max);
  HANSA_TRY(ExampleShape shape, shape_of(tensors, location, static_cast<std::int64_t>(count)));
  for (std::size_t t = 0; t < tensors.size(); ++t)
    if (const auto example = first_not_finite(tensors[t].tensor, count, shape[t].elements()))
      return fail(ErrorCode::data, location + ": example " + std::to_string(*example),
                  "has NaN or an infinite value in " + tensors[t].name, "remove or correct the example",
                  {ReasonCode::example_invalid, {{Quantity::example, static_cast<std::uint64_t>(*example)}}});
  return std::make_unique<TensorsSource>(location, std::move(tensors), std::move(shape), count);
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_tensors_source(const DataConfig& config) {
  return guarded(config.file.string(), "cannot be read",
                 "write it again with torch.save({\"x\": x, \"y\": y}, file)",
                 [&] { return open_unguarded(config); });
}

}  // namespace hansa::learning
