#include "protocols/codecs/shared_transform.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cassert>
#include <cmath>

#include "common/kernels/hadamard.h"
#include "protocols/codecs/internal/coordinates.h"

namespace hansa::codecs {
namespace {

constexpr std::size_t block_values = Plan::block_values;

std::size_t block_size(std::uint64_t left) {
  if (left >= block_values) return block_values;
  if (left < kernels::hadamard_values_min) return static_cast<std::size_t>(left);
  return static_cast<std::size_t>(std::bit_floor(left));
}
bool is_rotated(std::size_t values) { return values >= kernels::hadamard_values_min; }

}  // namespace

std::vector<SharedTransform::Block> SharedTransform::blocks(std::uint64_t values) const {
  std::vector<Block> out;
  Block block;
  for (; block.first_value < values;
       block.first_value += block.values, block.first_coefficient += block.coefficients) {
    block.values = block_size(values - block.first_value);
    block.coefficients = fraction_ < 1 ? internal::sampled_count(block.values, fraction_) : block.values;
    out.push_back(block);
  }
  return out;
}

std::uint64_t SharedTransform::coefficients(std::uint64_t values) const {
  if (fraction_ >= 1) return values;
  const std::uint64_t whole = values / block_values;
  std::uint64_t out = whole * internal::sampled_count(block_values, fraction_);
  for (std::uint64_t left = values % block_values; left > 0;) {
    const std::size_t size = block_size(left);
    out += internal::sampled_count(size, fraction_);
    left -= size;
  }
  return out;
}

void SharedTransform::forward(std::uint64_t segment, const Block& block, std::span<const float> values,
                              std::span<float> coefficients) const {
  assert(values.size() == block.values && coefficients.size() == block.coefficients);
  alignas(64) std::array<float, block_values> buffer;
  const auto y = std::span(buffer).first(block.values);
  const std::uint64_t seed = internal::mix(internal::mix(seed_, segment), block.first_value);
  if (rotated_ && is_rotated(block.values)) {
    kernels::flip_signs(values, seed, kernels::no_limit, y);
    kernels::hadamard(y);
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(block.values)));
    for (float& value : y) value *= scale;
  } else {
    std::copy(values.begin(), values.end(), y.begin());
  }
  if (block.coefficients == block.values) {
    std::copy(y.begin(), y.end(), coefficients.begin());
    return;
  }
  internal::SampledCoordinates coordinates(seed, 0, block.values);
  for (float& coefficient : coefficients) coefficient = y[coordinates.next()];
}

void SharedTransform::inverse(std::uint64_t segment, const Block& block, std::span<const float> coefficients,
                              std::span<float> values) const {
  assert(values.size() == block.values && coefficients.size() == block.coefficients);
  const std::uint64_t seed = internal::mix(internal::mix(seed_, segment), block.first_value);
  if (block.coefficients == block.values) {
    std::copy(coefficients.begin(), coefficients.end(), values.begin());
  } else {
    std::fill(values.begin(), values.end(), 0.0F);
    internal::SampledCoordinates coordinates(seed, 0, block.values);
    for (const float coefficient : coefficients) values[coordinates.next()] = coefficient;
  }
  if (rotated_ && is_rotated(block.values)) {
    const auto scale = static_cast<float>(1 / std::sqrt(static_cast<double>(block.values)));
    kernels::hadamard(values);
    kernels::flip_signs(values, seed, kernels::no_limit, values);
    for (float& value : values) value *= scale;
  }
}

}  // namespace hansa::codecs
