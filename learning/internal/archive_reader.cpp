#include "learning/internal/archive_reader.h"

#include <algorithm>
#include <cerrno>
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <caffe2/serialize/file_adapter.h>
#include <caffe2/serialize/inline_container.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <torch/csrc/jit/serialization/import_read.h>
#include <torch/csrc/jit/serialization/import_source.h>
#include <unistd.h>

#include "common/read_at.h"
#include "learning/internal/code_check.h"
#include "learning/internal/source_positions.h"
#include "learning/internal/tensor_bounds.h"

namespace torch::jit {
// Makes the operators of archives from older versions of PyTorch known. LibTorch exports it, but Debian does not install
// its header.
TORCH_API void populate_upgraders_graph_map();
}  // namespace torch::jit

namespace hansa::learning {
namespace {

using caffe2::serialize::PyTorchStreamReader;

// Reads an archive from a descriptor, for a process that may open no file.
class OpenFile final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit OpenFile(std::shared_ptr<const Descriptor> file) : file_(std::move(file)) {
    const off_t end = ::lseek(file_->get(), 0, SEEK_END);
    size_ = end < 0 ? 0 : static_cast<std::size_t>(end);
  }
  std::size_t size() const override { return size_; }
  std::size_t read(std::uint64_t position, void* to, std::size_t bytes, const char*) const override {
    return read_at(*file_, position, {static_cast<std::byte*>(to), bytes}).value_or(0);
  }

 private:
  std::shared_ptr<const Descriptor> file_;
  std::size_t size_ = 0;
};

// Passes an Error through LibTorch's functions.
struct Refused {
  Error error;
};

std::shared_ptr<caffe2::serialize::ReadAdapterInterface> adapter_of(const ArchiveFile& archive) {
  if (archive.is_open()) return std::make_shared<OpenFile>(archive.file());
  return std::make_shared<caffe2::serialize::FileAdapter>(archive.location());
}

class ArchiveReader {
 public:
  explicit ArchiveReader(const ArchiveFile& archive)
      : location_(archive.location()),
        records_(adapter_of(archive)),
        importer_(
            unit_, &constants_, [this](const std::string& name) { return source_of(name); },
            records_.version()) {}

  torch::jit::Module read() {
    if (records_.hasRecord("data.pkl") && !records_.hasRecord("constants.pkl"))
      refuse("holds values and no TorchScript code: it was written by torch.save()",
             "load it in Python, and save it with torch.jit.script(model).save(...)");
    if (!records_.hasRecord("constants.pkl") || !records_.hasRecord("data.pkl") ||
        records_.hasRecord("model.json"))
      refuse("has a format that is not supported", "save it again with torch.jit.script(model).save(...)");
    const c10::IValue constants = values_of("constants");
    for (const c10::IValue& constant : constants.toTupleRef().elements()) constants_.push_back(constant);
    torch::jit::Module module(values_of("data").toObject());
    if (auto checked = check_code(*unit_, location_); !checked) throw Refused{std::move(checked).error()};
    return module;
  }

 private:
  [[noreturn]] void refuse(std::string what, std::string hint) const {
    throw Refused{
        {ErrorCode::model, location_, std::move(what), std::move(hint), {ReasonCode::model_refused, {}}}};
  }

  c10::IValue values_of(const std::string& name) {
    const torch::jit::TypeResolver type_of = [this](const c10::QualifiedName& type) {
      return load_type(type);
    };
    const torch::jit::ObjLoader object_of = [this](const at::StrongTypePtr& type, const c10::IValue& state) {
      return make_object(type, state);
    };
    c10::IValue out =
        torch::jit::readArchiveAndTensors(name, "", "", type_of, object_of, at::Device(at::kCPU), records_);
    check_tensors(out);
    return out;
  }

  // Values that are written to a tensor that claims more than its storage would land behind it.
  void check_tensors(const c10::IValue& values) const {
    values.visit([this](const c10::IValue& value) {
      if (!value.isTensor() || !value.toTensor().defined()) return false;
      const at::Tensor& tensor = value.toTensor();
      if (tensor.layout() != at::kStrided || tensor.is_quantized() || !tensor.has_storage())
        refuse("holds a tensor that is sparse or quantised", "convert it with to_dense() or dequantize()");
      if (!lies_within(tensor, tensor.storage().nbytes()))
        refuse("holds a tensor that is larger than its memory", "save the model again");
      return true;
    });
  }

  c10::StrongTypePtr load_type(const c10::QualifiedName& name) {
    auto type = importer_.loadType(name);
    if (!type) refuse("has no code for its class " + name.qualifiedName(), "save it again");
    if (has_compiled_class(*type))
      refuse("holds an object of " + name.qualifiedName() + ", a class of torch.classes",
             "a model may hold only tensors, numbers, texts and classes that are written in TorchScript");
    return {unit_, std::move(type)};
  }

  c10::intrusive_ptr<c10::ivalue::Object> make_object(const at::StrongTypePtr& type,
                                                      const c10::IValue& state) {
    const auto cls = type.type_->expect<at::ClassType>();
    if (cls->findMethod("__setstate__") != nullptr || cls->findMethod("__getstate__") != nullptr)
      refuse(
          "has a class " + cls->name()->qualifiedName() + " with __setstate__, which runs while it is loaded",
          "remove __getstate__ and __setstate__ from the class");
    const auto values = state.toGenericDict();
    const std::size_t count = cls->numAttributes();
    auto object = c10::ivalue::Object::create(type, count);
    for (std::size_t i = 0; i < count; ++i) object->setSlot(i, values.at(cls->getAttributeName(i)));
    return object;
  }

  // The code of the classes and functions whose names begin with `qualifier`. Null if the archive has none.
  std::shared_ptr<torch::jit::Source> source_of(const std::string& qualifier) {
    std::string path = "code/" + qualifier + ".py";
    std::replace(path.begin() + 5, path.end() - 3, '.', '/');
    if (!records_.hasRecord(path)) return nullptr;
    const auto [data, size] = records_.getRecord(path);
    std::shared_ptr<torch::jit::SourceRangeUnpickler> positions;
    if (records_.hasRecord(path + ".debug_pkl")) {
      const auto [debug, debug_size] = records_.getRecord(path + ".debug_pkl");
      positions = read_source_positions(static_cast<const char*>(debug.get()), debug_size);
    }
    return std::make_shared<torch::jit::Source>(std::string(static_cast<const char*>(data.get()), size), path,
                                                1, std::move(positions));
  }

  std::string location_;
  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  std::vector<c10::IValue> constants_;
  PyTorchStreamReader records_;
  torch::jit::SourceImporter importer_;
};

}  // namespace

Result<torch::jit::Module> read_archive(const ArchiveFile& archive) {
  torch::jit::populate_upgraders_graph_map();
  try {
    return ArchiveReader(archive).read();
  } catch (Refused& refused) {
    return tl::unexpected<Error>(std::move(refused.error));
  }
}

}  // namespace hansa::learning
