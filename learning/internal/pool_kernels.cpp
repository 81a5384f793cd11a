#include "learning/internal/pool_kernels.h"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <type_traits>

// The clones let the compiler use the processor's vector instructions. The arithmetic is comparison and selection only,
// so all clones give equal bits.
#if defined(__x86_64__) && defined(__gnu_linux__) && !defined(__SANITIZE_ADDRESS__) && \
    !defined(__SANITIZE_THREAD__)
#define HANSA_VECTOR_CLONES __attribute__((target_clones("avx2", "default")))
#else
#define HANSA_VECTOR_CLONES
#endif

namespace hansa::learning {
namespace {

// Channels are processed in groups with the vector extension of GCC and Clang. Automatic vectorisation fills whole
// registers with the one-byte winners, 32 or 64 channels at a time, and leaves the few channels of a small model to
// scalar code, which is 20 times slower.
template <std::size_t lanes>
struct Group {
  using Floats [[gnu::vector_size(lanes * sizeof(float))]] = float;
  using Ints [[gnu::vector_size(lanes * sizeof(std::int32_t))]] = std::int32_t;
  using Bytes [[gnu::vector_size(lanes)]] = std::uint8_t;
};

template <class Vector, class T>
inline __attribute__((always_inline)) void load(Vector& out, const T* from) {
  std::memcpy(&out, from, sizeof out);
}
template <class Vector, class T>
inline __attribute__((always_inline)) void store(T* to, const Vector& from) {
  std::memcpy(to, &from, sizeof from);
}

struct Corners {
  std::size_t offset[4];  // of the elements of a 2x2 window, relative to its first
};

Corners corners_of(const PoolShape& shape) {
  const std::size_t row = shape.columns * shape.channels;
  return {{0, shape.channels, row, row + shape.channels}};
}

// Calls `group(lanes, c)` for groups of channels that start at c and cover all of `channels`, where `lanes` is a constant of
// 8, 4 or 1. The last group may overlap the one before it: the same results are written twice.
template <class Function>
inline __attribute__((always_inline)) void for_groups(std::size_t channels, const Function& group) {
  const auto cover = [&](auto lanes) __attribute__((always_inline)) {
    std::size_t c = 0;
    for (; c + lanes <= channels; c += lanes) group(lanes, c);
    if (c < channels) group(lanes, channels - lanes);
  };
  if (channels >= 8) cover(std::integral_constant<std::size_t, 8>{});
  else if (channels >= 4) cover(std::integral_constant<std::size_t, 4>{});
  else cover(std::integral_constant<std::size_t, 1>{});
}

HANSA_VECTOR_CLONES
void forward_row(const float* in, const Corners& corners, std::size_t windows, std::size_t channels,
                 float* out, std::uint8_t* winners) {
  for (std::size_t w = 0; w < windows; ++w, in += 2 * channels, out += channels, winners += channels)
    for_groups(
        channels, [&](auto lanes, std::size_t c) __attribute__((always_inline)) {
          using Floats = typename Group<lanes>::Floats;
          using Ints = typename Group<lanes>::Ints;
          Floats best;
          load(best, in + c);
          Ints winner{};
          for (std::int32_t place = 1; place < 4; ++place) {
            Floats x;
            load(x, in + corners.offset[place] + c);
            const Ints wins = (x > best) | (x != x);  // NaN wins
            best = wins ? x : best;
            winner = wins ? Ints{} + place : winner;
          }
          const Ints off = best <= 0.0F;
          best = off ? Floats{} : best;
          winner = off ? Ints{} + 4 : winner;
          store(out + c, best);
          store(winners + c, __builtin_convertvector(winner, typename Group<lanes>::Bytes));
        });
}

HANSA_VECTOR_CLONES
void backward_row(const float* gradient, const std::uint8_t* winners, std::size_t windows,
                  std::size_t channels, const Corners& corners, float* out) {
  for (std::size_t w = 0; w < windows; ++w, out += 2 * channels, gradient += channels, winners += channels)
    for_groups(
        channels, [&](auto lanes, std::size_t c) __attribute__((always_inline)) {
          using Floats = typename Group<lanes>::Floats;
          using Ints = typename Group<lanes>::Ints;
          Floats g;
          load(g, gradient + c);
          typename Group<lanes>::Bytes bytes;
          load(bytes, winners + c);
          const Ints winner = __builtin_convertvector(bytes, Ints);
          for (std::int32_t place = 0; place < 4; ++place) {
            const Floats routed = winner == place ? g : Floats{};
            store(out + corners.offset[place] + c, routed);
          }
        });
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
      forward_row(in + row * input_row, corners, windows, shape.channels, output.data() + done,
                  winners.data() + done);
  }
}

void relu_max_pool_backward(const PoolShape& shape, std::span<const float> output_gradient,
                            std::span<const std::uint8_t> winners, std::span<float> input_gradient) {
  assert(input_gradient.size() == shape.input_elements());
  assert(output_gradient.size() == shape.output_elements() && winners.size() == output_gradient.size());
  // An odd last row or column belongs to no window.
  if (shape.rows % 2 != 0 || shape.columns % 2 != 0)
    std::fill(input_gradient.begin(), input_gradient.end(), 0.0F);
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
