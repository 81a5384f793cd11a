// The evaluator child's side of internal/protocol.h.
#pragma once
#include <memory>
#include <string>

#include "common/process/frames.h"
#include "learning/evaluation.h"
#include "learning/wire/wire.h"

namespace hansa::server::internal {

class Service {
 public:
  explicit Service(int channel) : channel_(channel) {}
  // The answer to a request. Errors are part of the answer.
  [[nodiscard]] std::string answer(Frame request);

 private:
  [[nodiscard]] Result<learning::Json> describe(const learning::Json& request, Frame& frame);
  [[nodiscard]] Result<learning::Json> open(const learning::Json& request, Frame& frame);
  [[nodiscard]] Result<learning::Json> evaluate(const learning::Json& request, const Frame& frame);
  [[nodiscard]] Result<void> lock() const;

  int channel_;
  std::unique_ptr<learning::Evaluator> evaluator_;
};

}  // namespace hansa::server::internal
