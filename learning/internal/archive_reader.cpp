#include "learning/internal/archive_reader.h"

#include <algorithm>
#include <cstring>
#include <exception>
#include <memory>
#include <unordered_map>
#include <utility>
#include <vector>

#include <torch/csrc/jit/serialization/import_source.h>
#include <torch/csrc/jit/serialization/unpickler.h>

#include "learning/internal/archive_records.h"
#include "learning/internal/code_check.h"
#include "learning/internal/source_positions.h"
#include "learning/internal/value_check.h"

namespace torch::jit {
// Makes the operators of archives from older versions of PyTorch known. LibTorch exports it, but Debian does not install
// its header.
TORCH_API void populate_upgraders_graph_map();
}  // namespace torch::jit

namespace hansa::learning {
namespace {

// Passes an Error through LibTorch's functions.
struct Refused {
  Error error;
};

class ArchiveReader {
 public:
  explicit ArchiveReader(const ArchiveFile& archive)
      : location_(archive.location()),
        records_(archive),
        importer_(
            unit_, &constants_, [this](const std::string& name) { return source_of(name); },
            records_.version()) {}

  ReadArchive read() {
    if (records_.has("data.pkl") && !records_.has("constants.pkl"))
      refuse("holds values and no TorchScript code: it was written by torch.save()",
             "load it in Python, and save it with torch.jit.script(model).save(...)");
    if (!records_.has("constants.pkl") || !records_.has("data.pkl") || records_.has("model.json"))
      refuse("has a format that is not supported", "save it again with torch.jit.script(model).save(...)");
    const c10::IValue constants = values_of("constants");
    for (const c10::IValue& constant : constants.toTupleRef().elements()) constants_.push_back(constant);
    torch::jit::Module module(values_of("data").toObject());
    if (auto checked = check_code(*unit_, location_); !checked) throw Refused{std::move(checked).error()};
    ReadArchive out{std::move(module), {}};
    for (auto& [memory, record] : storages_) out.records.emplace(memory, std::move(record.name));
    return out;
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
    storages_.clear();
    const ArchiveRecords::Record pickled = records_.read(name + ".pkl");
    std::size_t at = 0;
    const auto next = [&](char* to, std::size_t bytes) {
      const std::size_t count = std::min(bytes, pickled.bytes - at);
      std::memcpy(to, static_cast<const char*>(pickled.data.get()) + at, count);
      at += count;
      return count;
    };
    const auto storage_of = [&](const std::string& record) { return read_storage(name + "/" + record); };
    torch::jit::Unpickler unpickler(next, type_of, object_of, storage_of, at::Device(at::kCPU));
    unpickler.set_version(records_.version());
    c10::IValue out = unpickler.parse_ivalue();
    const auto bytes_of = [this](const at::Tensor& tensor) { return memory_of(tensor); };
    if (auto fault = find_fault(out, bytes_of)) refuse(std::move(fault->what), std::move(fault->hint));
    return out;
  }

  // LibTorch believes the pickled size of a storage, whatever the size of its record.
  at::DataPtr read_storage(const std::string& name) {
    ArchiveRecords::Record record = records_.read(name);
    storages_[record.data.get()] = {name, record.bytes};
    return std::move(record.data);
  }

  // Values that are written to a storage that claims more than its record would land behind it.
  std::size_t memory_of(const at::Tensor& tensor) const {
    const std::size_t claimed = tensor.storage().nbytes();
    const auto record = storages_.find(tensor.storage().data_ptr().get());
    return record == storages_.end() ? claimed : std::min(claimed, record->second.bytes);
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
    if (!records_.has(path)) return nullptr;
    const ArchiveRecords::Record code = records_.read(path);
    std::shared_ptr<torch::jit::SourceRangeUnpickler> positions;
    if (records_.has(path + ".debug_pkl")) {
      const ArchiveRecords::Record debug = records_.read(path + ".debug_pkl");
      positions = read_source_positions(static_cast<const char*>(debug.data.get()), debug.bytes);
    }
    return std::make_shared<torch::jit::Source>(
        std::string(static_cast<const char*>(code.data.get()), code.bytes), path, 1, std::move(positions));
  }

  std::string location_;
  std::shared_ptr<torch::jit::CompilationUnit> unit_ = std::make_shared<torch::jit::CompilationUnit>();
  std::vector<c10::IValue> constants_;
  ArchiveRecords records_;
  struct StorageRecord {
    std::string name;
    std::size_t bytes = 0;
  };
  std::unordered_map<const void*, StorageRecord> storages_;  // by the address of their memory
  torch::jit::SourceImporter importer_;
};

}  // namespace

Result<ReadArchive> read_archive(const ArchiveFile& archive) {
  torch::jit::populate_upgraders_graph_map();
  try {
    return ArchiveReader(archive).read();
  } catch (Refused& refused) {
    return tl::unexpected<Error>(std::move(refused.error));
  }
}

}  // namespace hansa::learning
