// A vector that a method keeps on the device from task to task, for one run. Torch-free.
//
// The aggregator begins each run with method vectors of zeros, so what a device kept in another run is not continued:
// the device's and the aggregator's vectors would not belong together. The run is an option of such a method.
#pragma once
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/methods.h"
#include "learning/trainer.h"

namespace hansa::learning {

class MethodVector {
 public:
  // name: of the method and the vector, "scaffold.control". The request outlives the object.
  MethodVector(const TrainingRequest& request, std::string_view name);
  // What the device kept in this run, or zeros. As many values as the model.
  [[nodiscard]] std::span<const float> values() const;
  // To be kept, if the update is counted, instead of values().
  void replace(std::vector<float> values, KeptVectors& kept) const;

 private:
  std::string name_;
  Digest of_;
  std::span<const float> found_;  // of the request
  std::vector<float> zeros_;  // unless something was found
};

// A text among a method's own options; empty if the method leaves it out.
[[nodiscard]] std::string text_option(const Method& method, std::string_view name);

}  // namespace hansa::learning
