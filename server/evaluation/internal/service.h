// The evaluator child's side of internal/wire.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "learning/evaluation.h"

namespace hansa::server::internal {

class Service {
 public:
  // A request line's answer line, its end included. Never fails otherwise.
  [[nodiscard]] std::string answer(std::string_view line);

 private:
  std::unique_ptr<learning::Evaluator> evaluator_;
};

}  // namespace hansa::server::internal
