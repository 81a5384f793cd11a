#include "learning/internal/pool_kernels.h"

#include <algorithm>
#include <cassert>

// The loops below are plain enough for the compiler's vectoriser; the clones let it use what the
// processor has. The arithmetic is comparison and selection only, so all clones give equal bits.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
#define HANSA_VECTOR_CLONES __attribute__((target_clones("arch=x86-64-v4", "avx2", "default")))
#else
#define HANSA_VECTOR_CLONES
#endif

namespace hansa::learning {
namespace {

struct Corners {
  std::size_t offset[4];  // of the 2x2 window's elements from its first
};

Corners corners_of(const PoolShape& shape) {
  const std::size_t row = shape.columns * shape.channels;
  return {{0, shape.channels, row, row + shape.channels}};
}

HANSA_VECTOR_CLONES
void forward_row(const float* __restrict in, const Corners& corners, std::size_t windows, std::size_t channels,
                 float* __restrict out, std::uint8_t* __restrict winners) {
  for (std::size_t w = 0; w < windows; ++w) {
    const float* const p0 = in + w * 2 * channels;
    const float* const p1 = p0 + corners.offset[1];
    const float* const p2 = p0 + corners.offset[2];
    const float* const p3 = p0 + corners.offset[3];
    float* const o = out + w * channels;
    std::uint8_t* const k = winners + w * channels;
    for (std::size_t c = 0; c < channels; ++c) {
      float best = p0[c];
      std::int32_t winner = 0;
      // !(x <= best) is x > best or a NaN on either side; a NaN that leads must not lose to a number.
      const auto challenge = [&](float x, std::int32_t place) {
        const bool wins = (x > best) | (x != x);
        best = wins ? x : best;
        winner = wins ? place : winner;
      };
      challenge(p1[c], 1);
      challenge(p2[c], 2);
      challenge(p3[c], 3);
      const bool off = best <= 0;
      o[c] = off ? 0.0F : best;
      k[c] = static_cast<std::uint8_t>(off ? 4 : winner);
    }
  }
}

HANSA_VECTOR_CLONES
void backward_row(const float* __restrict gradient, const std::uint8_t* __restrict winners, std::size_t windows,
                  std::size_t channels, const Corners& corners, float* __restrict out) {
  for (std::size_t w = 0; w < windows; ++w) {
    const float* const g = gradient + w * channels;
    const std::uint8_t* const k = winners + w * channels;
    for (std::size_t place = 0; place < 4; ++place) {
      float* const o = out + w * 2 * channels + corners.offset[place];
      for (std::size_t c = 0; c < channels; ++c) o[c] = k[c] == place ? g[c] : 0.0F;
    }
  }
}

}  // namespace

void relu_max_pool_forward(const PoolShape& shape, std::span<const float> input, std::span<float> output,
                           std::span<std::uint8_t> winners) {
  assert(input.size() == shape.input_elements());
  assert(output.size() == shape.output_elements() && winners.size() == output.size());
  const Corners corners = corners_of(shape);
  const std::size_t windows = shape.columns / 2;
  const std::size_t input_row = shape.columns * shape.channels;
  const std::size_t output_row = windows * shape.channels;
  std::size_t done = 0;
  for (std::size_t image = 0; image < shape.images; ++image) {
    const float* const in = input.data() + image * shape.rows * input_row;
    for (std::size_t row = 0; row + 1 < shape.rows; row += 2, done += output_row)
      forward_row(in + row * input_row, corners, windows, shape.channels, output.data() + done, winners.data() + done);
  }
}

void relu_max_pool_backward(const PoolShape& shape, std::span<const float> output_gradient,
                            std::span<const std::uint8_t> winners, std::span<float> input_gradient) {
  assert(input_gradient.size() == shape.input_elements());
  assert(output_gradient.size() == shape.output_elements() && winners.size() == output_gradient.size());
  // An odd last row or column belongs to no window.
  if (shape.rows % 2 != 0 || shape.columns % 2 != 0) std::fill(input_gradient.begin(), input_gradient.end(), 0.0F);
  const Corners corners = corners_of(shape);
  const std::size_t windows = shape.columns / 2;
  const std::size_t input_row = shape.columns * shape.channels;
  const std::size_t output_row = windows * shape.channels;
  std::size_t done = 0;
  for (std::size_t image = 0; image < shape.images; ++image) {
    float* const out = input_gradient.data() + image * shape.rows * input_row;
    for (std::size_t row = 0; row + 1 < shape.rows; row += 2, done += output_row)
      backward_row(output_gradient.data() + done, winners.data() + done, windows, shape.channels, corners,
                   out + row * input_row);
  }
}

}  // namespace hansa::learning
