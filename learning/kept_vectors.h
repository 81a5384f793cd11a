// Vectors that a device keeps from task to task, by name: personal layers and the residuals of codecs today,
// control variates and the state of optimisers later.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "common/digest.h"

namespace hansa::learning {

struct KeptVector {
  Digest
      of;  // what the values belong to, such as a layout or a codec plan: they mean nothing with another one
  std::vector<float> values;
  friend bool operator==(const KeptVector&, const KeptVector&) = default;
};
using KeptVectors = std::map<std::string, KeptVector>;

}  // namespace hansa::learning
