// The methods that a trainer knows, by name.
#pragma once
#include <memory>
#include <string_view>
#include <vector>

#include "learning/methods/method.h"

namespace hansa::learning {

// Filled before use, then read by any thread.
class MethodRegistry {
 public:
  void add(std::unique_ptr<const TrainingMethod> method);
  // Null if there is no method of this name.
  [[nodiscard]] const TrainingMethod* find(std::string_view name) const;
  // For check_method().
  [[nodiscard]] const MethodTable& table() const { return table_; }

 private:
  std::vector<std::unique_ptr<const TrainingMethod>> methods_;
  MethodTable table_;  // their descriptions
};

// The methods that Hansa ships: those of built_in_methods().
[[nodiscard]] MethodRegistry shipped_methods();

}  // namespace hansa::learning
