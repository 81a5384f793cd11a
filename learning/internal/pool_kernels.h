// max(0, 2x2 max pool) over channels-last images, forward and backward, in one pass each. Torch-free.
//
// LibTorch runs ReLU and pooling as two operations with 8-byte indices: five passes over the largest tensors of a small
// CNN, a quarter of its training time. Here one byte for each output holds all that the backward pass needs. The
// results are bit for bit those of the two operations.
#pragma once
#include <cstddef>
#include <cstdint>
#include <span>

namespace hansa::learning {

struct PoolShape {
  std::size_t images = 0;
  std::size_t rows = 0;  // of the input; an odd last row or column is ignored
  std::size_t columns = 0;
  std::size_t channels = 0;

  [[nodiscard]] std::size_t input_elements() const { return images * rows * columns * channels; }
  [[nodiscard]] std::size_t output_elements() const { return images * (rows / 2) * (columns / 2) * channels; }
};

// winners[i] is the position of the maximum in its window, 0 to 3 (row by row, the first of equal values), or 4 if the
// maximum is not above 0. NaN wins, as in LibTorch.
void relu_max_pool_forward(const PoolShape& shape, std::span<const float> input, std::span<float> output,
                           std::span<std::uint8_t> winners);

// Writes every element of input_gradient.
void relu_max_pool_backward(const PoolShape& shape, std::span<const float> output_gradient,
                            std::span<const std::uint8_t> winners, std::span<float> input_gradient);

}  // namespace hansa::learning
