#include "learning/internal/tensors_source.h"

#include <algorithm>
#include <array>
#include <cstring>
#include <memory>
#include <optional>
#include <utility>

#include <caffe2/serialize/inline_container.h>
#include <torch/csrc/jit/serialization/unpickler.h>
#include <torch/script.h>

#include "learning/data/kinds/arrays/array_rules.h"
#include "learning/data/kinds/arrays/arrays_source.h"
#include "learning/data/kinds/arrays/mapped_file.h"
#include "learning/internal/tensor_bounds.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {
namespace {

using kinds::Array;
using kinds::ArraySpec;
using kinds::MappedFile;
using kinds::NumberType;

constexpr const char* write_hint = "write it with torch.save({\"x\": x, \"y\": y}, file)";
using SharedFile = std::shared_ptr<const MappedFile>;

// A tensor that points into the file, or that was copied from it.
class TensorMemory final : public kinds::ArrayMemory {
 public:
  TensorMemory(at::Tensor tensor, SharedFile file) : tensor_(std::move(tensor)), file_(std::move(file)) {}
  // The file is mapped, so that the system can reclaim its pages.
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    const auto* begin = static_cast<const std::byte*>(tensor_.data_ptr());
    const std::span<const std::byte> bytes = file_->bytes();
    const bool is_mapped = begin >= bytes.data() && begin < bytes.data() + bytes.size();
    return is_mapped ? 0 : tensor_.nbytes();
  }
  [[nodiscard]] Result<void> check() const override { return file_->check(); }

 private:
  at::Tensor tensor_;
  SharedFile file_;
};

bool lies_within(const at::Tensor& tensor, const MappedFile& file) {
  const auto* data = static_cast<const std::byte*>(tensor.storage().data_ptr().get());
  if (tensor.numel() == 0) return true;
  const std::byte* end = file.bytes().data() + file.bytes().size();
  if (data < file.bytes().data() || data >= end) return false;
  return learning::lies_within(tensor, static_cast<std::uint64_t>(end - data));
}

std::optional<NumberType> number_type_of(at::ScalarType type) {
  switch (type) {
    case at::kHalf: return NumberType::float16;
    case at::kBFloat16: return NumberType::bfloat16;
    case at::kFloat: return NumberType::float32;
    case at::kDouble: return NumberType::float64;
    case at::kChar: return NumberType::int8;
    case at::kShort: return NumberType::int16;
    case at::kInt: return NumberType::int32;
    case at::kLong: return NumberType::int64;
    case at::kByte: return NumberType::uint8;
    case at::kBool: return NumberType::boolean;
    default: return std::nullopt;
  }
}

Result<Array> array_of(const std::string& name, const at::Tensor& tensor, const std::string& location,
                       const SharedFile& file) {
  const std::optional<NumberType> type = number_type_of(tensor.scalar_type());
  if (tensor.layout() != at::kStrided || tensor.is_quantized() || !type)
    return fail(ErrorCode::data, location, "has a sparse, quantised or complex tensor \"" + name + "\"",
                "save a plain tensor", {ReasonCode::data_damaged, {}});
  if (!lies_within(tensor, *file))
    return fail(ErrorCode::data, location, "is damaged: tensor \"" + name + "\" extends beyond the file",
                "fetch or copy the file again", {ReasonCode::data_damaged, {}});
  const at::Tensor rows = tensor.contiguous();
  const std::span values(static_cast<const std::byte*>(rows.data_ptr()), rows.nbytes());
  return Array{{name, *type, std::vector<std::uint64_t>(rows.sizes().begin(), rows.sizes().end())},
               std::endian::native,
               values,
               std::make_shared<const TensorMemory>(rows, file)};
}

// The dict's tensors, in the order in which they were saved.
Result<kinds::NamedArrays> find_arrays(const c10::IValue& value, const std::string& location,
                                       const SharedFile& file) {
  const auto bad = [&](std::string what, const char* hint) {
    return fail(ErrorCode::data, location, std::move(what), hint, {ReasonCode::data_damaged, {}});
  };
  kinds::NamedArrays out;
  for (const auto& entry : value.toGenericDict()) {
    if (!entry.key().isString() || !entry.value().isTensor())
      return bad("holds something that is not a tensor with a name", write_hint);
    const std::string& name = entry.key().toStringRef();
    if (!kinds::is_argument_name(name)) return bad("has a tensor whose name is no argument's", write_hint);
    HANSA_TRY(Array array, array_of(name, entry.value().toTensor(), location, file));
    (kinds::is_target_name(name) ? out.targets : out.inputs).push_back(std::move(array));
  }
  if (out.inputs.empty()) return bad("has no tensor \"x\"", write_hint);
  if (const std::size_t count = out.inputs.size() + out.targets.size(); count > kinds::arrays_max)
    return bad("has " + std::to_string(count) + " tensors, and 16 are the most",
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

Result<kinds::NamedArrays> load(const std::filesystem::path& path) {
  const std::string location = path.string();
  HANSA_TRY(const SharedFile file, MappedFile::open(path, "set data.file to a file written by torch.save"));
  const std::span<const std::byte> bytes = file->bytes();
  constexpr std::array<std::byte, 2> zip{std::byte{'P'}, std::byte{'K'}};
  if (bytes.size() < 64 || !std::equal(zip.begin(), zip.end(), bytes.begin()))
    return fail(ErrorCode::data, location,
                "was not written by torch.save, or has the format before PyTorch 1.6", write_hint,
                {ReasonCode::data_damaged, {}});
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
    TORCH_CHECK(offset < bytes.size() && offset % 8 == 0, "the record ", name, " does not fit the file");
    // Nothing writes to the memory, which is mapped for reading.
    return at::DataPtr(
        const_cast<std::byte*>(bytes.data() + offset), new SharedFile(file),
        [](void* held) { delete static_cast<SharedFile*>(held); }, at::kCPU);
  };
  torch::jit::Unpickler unpickler(read, nullptr, nullptr, read_record, at::Device(at::kCPU));
  const c10::IValue value = unpickler.parse_ivalue();
  if (!value.isGenericDict())
    return fail(ErrorCode::data, location, "does not hold a dict", write_hint,
                {ReasonCode::data_damaged, {}});
  return find_arrays(value, location, file);
}

Result<std::unique_ptr<DataSource>> open_unguarded(const DataConfig& config) {
  const std::string location = config.file.string();
  HANSA_TRY(kinds::NamedArrays arrays, load(config.file));
  std::vector<ArraySpec> specs;
  for (const auto* list : {&arrays.inputs, &arrays.targets})
    for (const Array& array : *list) specs.push_back(array.spec);
  HANSA_TRY(const std::uint64_t count, kinds::count_examples(specs, location, config.examples_max));
  return kinds::make_arrays_source(location, std::move(arrays), count);
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_tensors_source(const DataConfig& config) {
  return guarded(config.file.string(), "cannot be read",
                 "write it again with torch.save({\"x\": x, \"y\": y}, file)",
                 [&] { return open_unguarded(config); });
}

}  // namespace hansa::learning
