// Vectors that a device keeps from task to task, by name: personal layers, the residuals of codecs, and what training
// methods keep.
#pragma once
#include <map>
#include <string>
#include <vector>

#include "common/digest.h"

namespace hansa::learning {

struct KeptVector {
  // Identifies what the values belong to, such as a layout or a codec plan. They are valid only for it.
  Digest of;
  std::vector<float> values;
  friend bool operator==(const KeptVector&, const KeptVector&) = default;
};
using KeptVectors = std::map<std::string, KeptVector>;

}  // namespace hansa::learning
