// The evaluator child's side of internal/wire.h.
#pragma once
#include <memory>
#include <string>
#include <string_view>

#include "learning/evaluation.h"

namespace hansa::server::internal {

class Service {
 public:
  // The answer to a request, as a line with its end. Errors are part of the answer.
  [[nodiscard]] std::string answer(std::string_view line);

 private:
  std::unique_ptr<learning::Evaluator> evaluator_;
};

}  // namespace hansa::server::internal
