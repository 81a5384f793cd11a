#include "learning/internal/convolution_check.h"

#include <array>
#include <tuple>

#include <ATen/ATen.h>

namespace hansa::learning {
namespace {

at::Tensor wave(at::IntArrayRef sizes, at::ScalarType type) {
  std::int64_t count = 1;
  for (const std::int64_t side : sizes) count *= side;
  return (at::arange(count, at::kDouble) * 0.7).sin().reshape(sizes).to(type);
}

at::Tensor input_gradient(at::ScalarType type) {
  return std::get<0>(at::convolution_backward(wave({2, 4, 5, 5}, type), wave({2, 6, 5, 5}, type),
                                              wave({4, 6, 3, 3}, type), c10::nullopt, {1, 1}, {1, 1}, {1, 1},
                                              false, {0, 0}, 1, std::array<bool, 3>{true, false, false}));
}

bool convolutions_are_right() {
  const at::AutoDispatchBelowADInplaceOrView no_autograd;
  return at::allclose(input_gradient(at::kFloat).to(at::kDouble), input_gradient(at::kDouble), 1e-3, 1e-3);
}

}  // namespace

void distrust_wrong_convolutions() {
  static const bool right = convolutions_are_right();
  if (!right) at::globalContext().setUserEnabledMkldnn(false);
}

}  // namespace hansa::learning
