#include "tests/learning/hostile_archives.h"

#include <cstddef>
#include <set>

#include <caffe2/serialize/inline_container.h>
#include <torch/custom_class.h>
#include <torch/script.h>

namespace hansa::learning::testing {
namespace {

using torch::jit::Module;

int loads = 0;

struct Evil final : torch::CustomClassHolder {
  std::int64_t value = 1;
};

const auto registered = torch::class_<Evil>("hansa_test", "Evil")
                            .def(torch::init<>())
                            .def_pickle([](const c10::intrusive_ptr<Evil>& self) { return self->value; },
                                        [](std::int64_t value) {
                                          ++loads;
                                          auto out = c10::make_intrusive<Evil>();
                                          out->value = value;
                                          return out;
                                        });

Module linear() {
  Module model(c10::QualifiedName("__torch__.test.Model"), std::make_shared<torch::jit::CompilationUnit>());
  model.register_attribute("training", c10::BoolType::get(), true);
  model.register_parameter("weight", at::zeros({3, 16}).requires_grad_(true), false);
  model.register_parameter("bias", at::zeros({3}).requires_grad_(true), false);
  return model;
}

constexpr const char* forward = R"(
def forward(self, x):
    return torch.linear(torch.flatten(x, 1), self.weight, self.bias)
)";

}  // namespace

void write_archive_with(const std::string& methods, const std::filesystem::path& path) {
  Module model = linear();
  if (!methods.empty()) model.define(methods);
  model.define(forward);
  model.save(path.string());
}

void write_archive_with_hostile_names(const std::filesystem::path& path) {
  Module model = linear();
  model.register_parameter("\x1b[31mEVIL\x07", at::zeros({2}).requires_grad_(true), false);
  model.define(forward);
  model.define(
      "def metrics(self, x, y) -> Dict[str, Tuple[Tensor, Tensor]]:\n"
      "    one = torch.ones([1])\n    return {\"\\033[2Jmetric\": (one, one)}\n");
  model.save(path.string());
}

void write_archive_with_oversized_buffer(const std::filesystem::path& path) {
  Module model = linear();
  at::Tensor buffer = at::ones({300});
  // As in a file whose sizes were edited: the storage has 300 values.
  buffer.unsafeGetTensorImpl()->set_sizes_contiguous({65'535});
  model.register_buffer("mask", buffer);
  model.define(forward);
  model.save(path.string());
}

void write_archive_with_confused_object(Confused place, const std::filesystem::path& path) {
  Module model = linear();
  const auto unit = model._ivalue()->compilation_unit();
  Module wide(c10::QualifiedName("__torch__.test.Wide"), unit);
  for (int i = 0; i < 4'000; ++i)
    wide.register_attribute("t" + std::to_string(i), c10::TensorType::get(), at::zeros({1}));
  Module narrow(c10::QualifiedName("__torch__.test.Narrow"), unit);
  narrow.register_attribute("training", c10::BoolType::get(), true);
  const c10::TypePtr declared = wide.type();
  const c10::IValue confused = narrow._ivalue();
  const auto list_of = [&](const c10::TypePtr& element) {
    c10::impl::GenericList list(element);
    list.push_back(confused);
    return list;
  };
  c10::TypePtr type;
  c10::IValue value;
  std::string use = "self.held";
  switch (place) {
    case Confused::attribute:
      type = declared;
      value = confused;
      break;
    case Confused::list:
      type = c10::ListType::create(declared);
      value = list_of(declared);
      use += "[0]";
      break;
    case Confused::list_of_another_type:
      type = c10::ListType::create(declared);
      value = list_of(narrow.type());
      use += "[0]";
      break;
    case Confused::dictionary: {
      type = c10::DictType::create(c10::StringType::get(), declared);
      c10::impl::GenericDict dictionary(c10::StringType::get(), declared);
      dictionary.insert("a", confused);
      value = dictionary;
      use += "[\"a\"]";
      break;
    }
    case Confused::tuple:
      type = c10::TupleType::create({c10::TensorType::get(), declared});
      value = c10::ivalue::Tuple::create({at::zeros({1}), confused});
      use += "[1]";
      break;
  }
  model.type()->addAttribute("held", type);
  model._ivalue()->setSlot(model.type()->getAttributeSlot("held"), value);
  model.define("def forward(self, x):\n    x = torch.flatten(x, 1) + " + use +
               ".t3999\n    return torch.linear(x, self.weight, self.bias)\n");
  model.save(path.string());
}

void write_archive_with_short_tuple(const std::filesystem::path& path) {
  Module model = linear();
  model.type()->addAttribute("held",
                             c10::TupleType::create({c10::TensorType::get(), c10::TensorType::get()}));
  model._ivalue()->setSlot(model.type()->getAttributeSlot("held"),
                           c10::ivalue::Tuple::create({at::zeros({1})}));
  model.define(
      "def forward(self, x):\n    a, b = self.held\n"
      "    return torch.linear(torch.flatten(x, 1) + a + b, self.weight, self.bias)\n");
  model.save(path.string());
}

void write_archive_with_submodule(const std::string& methods, const std::filesystem::path& path) {
  Module model = linear();
  Module inner(c10::QualifiedName("__torch__.test.Inner"), model._ivalue()->compilation_unit());
  inner.register_attribute("training", c10::BoolType::get(), true);
  inner.register_parameter("weight", at::zeros({3}).requires_grad_(true), false);
  inner.define(methods);
  model.register_module("inner", inner);
  model.define(forward);
  model.save(path.string());
}

void write_archive_with_compiled_class(const std::filesystem::path& path) {
  Module model = linear();
  model.register_attribute("evil", torch::getCustomClass("__torch__.torch.classes.hansa_test.Evil"),
                           torch::make_custom_class<Evil>());
  model.define(forward);
  model.save(path.string());
}

int compiled_class_loads() { return loads; }

std::string record_of(const std::filesystem::path& archive, const std::string& record) {
  caffe2::serialize::PyTorchStreamReader reader(archive.string());
  const auto [data, size] = reader.getRecord(record);
  return {static_cast<const char*>(data.get()), size};
}

void write_with_record(const std::filesystem::path& archive, const std::string& record,
                       const std::string& content, const std::filesystem::path& path) {
  caffe2::serialize::PyTorchStreamReader reader(archive.string());
  caffe2::serialize::PyTorchStreamWriter writer(path.string());
  std::set<std::string> names{record};
  for (const std::string& name : reader.getAllRecords()) names.insert(name);
  for (const std::string& name : names) {
    if (name == "version" || name == "byteorder" || name.starts_with(".data/"))
      continue;  // the writer adds them
    const std::string bytes = name == record ? content : record_of(archive, name);
    writer.writeRecord(name, bytes.data(), bytes.size());
  }
  writer.writeEndOfFile();
}

}  // namespace hansa::learning::testing
