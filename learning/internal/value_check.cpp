#include "learning/internal/value_check.h"

#include <cstdint>
#include <unordered_map>
#include <unordered_set>
#include <utility>
#include <vector>

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>
#include <ATen/core/Tensor.h>
#include <ATen/core/class_type.h>
#include <ATen/core/jit_type.h>

#include "common/text.h"
#include "learning/internal/tensor_bounds.h"

namespace hansa::learning {
namespace {

// Tuples may share elements: written out, few bytes may be a type of any size.
constexpr std::uint64_t tuple_parts_max = 10'000;
constexpr int tuple_depth_max = 64;
constexpr std::size_t type_text_bytes_max = 120;

constexpr const char* own_writing = "save it again with torch.jit.script(model).save(...)";

std::string text_of(const c10::Type& type) {
  return printable(type.annotation_str().substr(0, type_text_bytes_max));
}

class ValueCheck {
 public:
  explicit ValueCheck(const MemoryOf& memory_of) : memory_of_(memory_of) {}

  std::optional<ValueFault> run(const c10::IValue& values) {
    waiting_.push_back(values);
    while (!waiting_.empty() && !fault_) {
      const c10::IValue value = std::move(waiting_.back());
      waiting_.pop_back();
      if (value.isTensor()) look_at(value.toTensor());
      else if (value.isPtrType() && !seen_.insert(value.internalToPointer()).second) continue;
      else if (value.isObject()) look_at(*value.toObject());
      else if (value.isTuple()) look_at_tuple(value);
      else if (value.isList()) look_at_list(value);
      else if (value.isGenericDict()) look_at_dictionary(value);
    }
    return std::move(fault_);
  }

 private:
  void look_at(const at::Tensor& tensor) {
    if (!tensor.defined()) return;
    if (tensor.layout() != at::kStrided || tensor.is_quantized() || !tensor.has_storage())
      fault_ = ValueFault{"holds a tensor that is sparse or quantised",
                          "convert it with to_dense() or dequantize()"};
    else if (!lies_within(tensor, memory_of_(tensor)))
      fault_ = ValueFault{"holds a tensor that is larger than its memory", "save the model again"};
  }

  void look_at(const c10::ivalue::Object& object) {
    const c10::ClassType& type = *object.type();
    if (object.slots().size() != type.numAttributes()) {
      fault_ = ValueFault{"holds an object with another number of attributes than its class", own_writing};
      return;
    }
    for (std::size_t i = 0; i < type.numAttributes() && !fault_; ++i)
      require(object.slots()[i], *type.getAttribute(i), [&] {
        return "in attribute " + type.getAttributeName(i) + " of " + type.name()->qualifiedName();
      });
  }

  // A tuple of a named class has the type of that class, and any other one that of its elements.
  void look_at_tuple(const c10::IValue& tuple) {
    const auto type = type_of(tuple);
    if (!type) return;
    const auto& elements = tuple.toTupleRef().elements();
    if (type->containedTypeSize() != elements.size()) {
      fault_ = ValueFault{"holds a tuple with another number of elements than its type", own_writing};
      return;
    }
    for (std::size_t i = 0; i < elements.size() && !fault_; ++i)
      require(elements[i], *type->containedType(i), [] { return std::string("in a tuple"); });
  }

  void look_at_list(const c10::IValue& list) {
    const c10::TypePtr type = list.toList().elementType();
    for (const c10::IValue& element : list.toListRef()) {
      if (fault_) return;
      require(element, *type, [] { return std::string("in a list"); });
    }
  }

  void look_at_dictionary(const c10::IValue& values) {
    const auto dictionary = values.toGenericDict();
    const c10::TypePtr key = dictionary.keyType();
    const c10::TypePtr value = dictionary.valueType();
    for (const auto& entry : dictionary) {
      if (fault_) return;
      require(entry.key(), *key, [] { return std::string("as a key of a dictionary"); });
      if (!fault_) require(entry.value(), *value, [] { return std::string("in a dictionary"); });
    }
  }

  template <class Place>
  void require(const c10::IValue& value, const c10::Type& declared, const Place& place) {
    const auto found = type_of(value);
    if (!found) return;
    // A tuple declares its tensors with their sizes, which say nothing about memory.
    const bool is_tensor = value.isTensor() && declared.kind() == c10::TypeKind::TensorType;
    if (!is_tensor && !found->isSubtypeOf(declared)) {
      fault_ = ValueFault{"holds " + text_of(*found) + " " + printable(place()) + ", which is declared as " +
                              text_of(declared),
                          own_writing};
      return;
    }
    waiting_.push_back(value);
  }

  // The type that the value claims by itself. Null, with a fault, if it cannot be written out.
  c10::TypePtr type_of(const c10::IValue& value) {
    if (value.isTensor()) return c10::TensorType::get();
    if (value.isTuple() && parts_of(value, 0) > tuple_parts_max) {
      fault_ = ValueFault{"holds tuples that are nested too deeply", own_writing};
      return nullptr;
    }
    return value.type();
  }

  // The number of elements of a tuple with those of the tuples in it, or more than tuple_parts_max.
  std::uint64_t parts_of(const c10::IValue& value, int depth) {
    if (!value.isTuple()) return 1;
    if (depth > tuple_depth_max) return tuple_parts_max + 1;
    const void* const key = value.internalToPointer();
    if (const auto known = parts_.find(key); known != parts_.end()) return known->second;
    std::uint64_t parts = 1;
    for (const c10::IValue& element : value.toTupleRef().elements())
      if (parts <= tuple_parts_max) parts += parts_of(element, depth + 1);
    parts_.emplace(key, parts);
    return parts;
  }

  const MemoryOf& memory_of_;
  std::vector<c10::IValue> waiting_;
  std::unordered_set<const void*> seen_;
  std::unordered_map<const void*, std::uint64_t> parts_;  // of the tuples
  std::optional<ValueFault> fault_;
};

}  // namespace

std::size_t claimed_bytes(const at::Tensor& tensor) { return tensor.storage().nbytes(); }

std::optional<ValueFault> find_fault(const c10::IValue& values, const MemoryOf& memory_of) {
  return ValueCheck(memory_of).run(values);
}

}  // namespace hansa::learning
