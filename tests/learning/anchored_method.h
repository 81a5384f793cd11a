// A second method, for tests only: SGD that is pulled towards an additional input "anchor" and gives an additional
// output "drift", which is the trained model minus the anchor.
#pragma once
#include <memory>

#include "learning/methods/registry.h"

namespace hansa::learning::testing {

// "anchored": the options of "sgd", and "pull", the factor of the distance to the anchor in each gradient.
[[nodiscard]] std::unique_ptr<const TrainingMethod> make_anchored();
// The methods of Hansa, and the anchored method.
[[nodiscard]] std::shared_ptr<const MethodRegistry> with_anchored();

}  // namespace hansa::learning::testing
