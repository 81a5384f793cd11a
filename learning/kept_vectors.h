// Vectors that a device keeps from task to task, by name: personal layers, the residuals of codecs, and what training
// methods keep.
#pragma once
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "common/digest.h"

namespace hansa::learning {

// Copies share the values, which never change: vectors have the size of a model, and ledgers, requests and staged
// changes hold them at the same time.
class KeptVector {
 public:
  KeptVector() = default;
  // of: identifies what the values belong to, such as a layout or a codec plan. They are valid only for it.
  KeptVector(const Digest& of, std::vector<float> values)
      : of_(of), values_(std::make_shared<const std::vector<float>>(std::move(values))) {}

  [[nodiscard]] const Digest& of() const { return of_; }
  [[nodiscard]] const std::vector<float>& values() const {
    static const std::vector<float> none;
    return values_ ? *values_ : none;
  }
  friend bool operator==(const KeptVector& a, const KeptVector& b) {
    return a.of_ == b.of_ && (a.values_ == b.values_ || a.values() == b.values());
  }

 private:
  Digest of_;
  std::shared_ptr<const std::vector<float>> values_;
};
using KeptVectors = std::map<std::string, KeptVector>;

}  // namespace hansa::learning
