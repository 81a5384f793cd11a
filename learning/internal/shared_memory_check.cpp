#include "learning/internal/shared_memory_check.h"

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include <ATen/core/Dict.h>
#include <ATen/core/List.h>

namespace hansa::learning {
namespace {

const void* memory_of(const at::Tensor& tensor) { return tensor.storage().data_ptr().get(); }

// Calls use(byte) for the first byte of each value, as its offset in the tensor's memory, until it returns false.
template <class Use>
bool for_values(const at::Tensor& tensor, const Use& use) {
  std::vector<std::int64_t> index(static_cast<std::size_t>(tensor.dim()));
  const auto size = static_cast<std::int64_t>(tensor.element_size());
  std::int64_t at = tensor.storage_offset() * size;
  for (std::int64_t i = 0; i < tensor.numel(); ++i) {
    if (!use(static_cast<std::size_t>(at))) return false;
    for (std::size_t d = index.size(); d > 0; --d) {
      const auto dimension = static_cast<std::int64_t>(d - 1);
      at += tensor.stride(dimension) * size;
      if (++index[d - 1] < tensor.size(dimension)) break;
      at -= tensor.size(dimension) * tensor.stride(dimension) * size;
      index[d - 1] = 0;
    }
  }
  return true;
}

// The tensors in one memory.
struct Users {
  std::vector<const NamedTensor*> own;
  std::vector<const at::Tensor*> others;
};

std::optional<std::string> find_shared_memory_of(const Users& users) {
  const at::Tensor& first = users.own.front()->tensor;
  if (users.own.size() == 1 && users.others.empty() && first.is_non_overlapping_and_dense())
    return std::nullopt;
  std::vector<bool> used(first.storage().nbytes());
  for (const NamedTensor* own : users.own) {
    const std::size_t size = own->tensor.element_size();
    const bool is_alone = for_values(own->tensor, [&](std::size_t at) {
      for (std::size_t i = 0; i < size; ++i) {
        if (used[at + i]) return false;
        used[at + i] = true;
      }
      return true;
    });
    if (!is_alone) return own->name;
  }
  for (const at::Tensor* other : users.others) {
    const std::size_t size = other->element_size();
    const bool is_alone = for_values(*other, [&](std::size_t at) {
      for (std::size_t i = 0; i < size; ++i)
        if (used[at + i]) return false;
      return true;
    });
    if (!is_alone) return users.own.front()->name;
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> find_shared_memory(std::span<const NamedTensor> own,
                                              std::span<const at::Tensor> others) {
  std::unordered_map<const void*, Users> memories;
  for (const NamedTensor& one : own)
    if (one.tensor.numel() > 0) memories[memory_of(one.tensor)].own.push_back(&one);
  for (const at::Tensor& other : others)
    if (const auto found = memories.find(memory_of(other)); found != memories.end())
      found->second.others.push_back(&other);
  for (const NamedTensor& one : own) {
    if (one.tensor.numel() == 0) continue;
    const Users& users = memories.at(memory_of(one.tensor));
    if (users.own.front() != &one) continue;
    if (auto shared = find_shared_memory_of(users)) return shared;
  }
  return std::nullopt;
}

void collect_tensors(const c10::IValue& values, std::vector<at::Tensor>& out) {
  std::vector<c10::IValue> waiting{values};
  std::unordered_set<const void*> seen;
  while (!waiting.empty()) {
    const c10::IValue value = std::move(waiting.back());
    waiting.pop_back();
    if (value.isTensor()) {
      const at::Tensor tensor = value.toTensor();
      if (tensor.defined() && tensor.has_storage() && tensor.numel() > 0) out.push_back(tensor);
      continue;
    }
    if (!value.isPtrType() || !seen.insert(value.internalToPointer()).second) continue;
    if (value.isObject()) {
      for (const c10::IValue& slot : value.toObject()->slots()) waiting.push_back(slot);
    } else if (value.isTuple()) {
      for (const c10::IValue& element : value.toTupleRef().elements()) waiting.push_back(element);
    } else if (value.isList()) {
      for (const c10::IValue& element : value.toListRef()) waiting.push_back(element);
    } else if (value.isGenericDict()) {
      for (const auto& entry : value.toGenericDict()) {
        waiting.push_back(entry.key());
        waiting.push_back(entry.value());
      }
    }
  }
}

}  // namespace hansa::learning
