#include "learning/data/kinds/images/resize.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <utility>
#include <vector>

namespace hansa::learning::kinds {
namespace {

// The weights are multiples of 2^-22, so that sums of 255 times them fit 32 bits.
constexpr int weight_bits = 22;

// How an output pixel is made of consecutive input pixels.
struct Taps {
  std::size_t first = 0;
  std::vector<std::int32_t> weights;
};

// For outputs `begin` to `begin + count` of `outputs`, of inputs from `start` to `start + length`, within `limit`.
std::vector<Taps> taps_of(double start, double length, std::size_t limit, std::size_t outputs,
                          std::size_t begin, std::size_t count) {
  const double scale = length / static_cast<double>(outputs);
  const double width = std::max(scale, 1.0);  // of half the triangle
  std::vector<Taps> out;
  for (std::size_t i = begin; i < begin + count; ++i) {
    const double centre = start + (static_cast<double>(i) + 0.5) * scale;
    const auto first = static_cast<std::size_t>(std::max(centre - width + 0.5, 0.0));
    const auto last = std::min(static_cast<std::size_t>(centre + width + 0.5), limit);
    std::vector<double> weights;
    double sum = 0;
    for (std::size_t at = first; at < last; ++at) {
      const double distance = std::abs((static_cast<double>(at) - centre + 0.5) / width);
      weights.push_back(std::max(0.0, 1.0 - distance));
      sum += weights.back();
    }
    Taps taps{first, {}};
    for (const double weight : weights)
      taps.weights.push_back(static_cast<std::int32_t>(std::lround(weight / sum * (1 << weight_bits))));
    out.push_back(std::move(taps));
  }
  return out;
}

std::uint8_t rounded(std::int32_t sum) {
  return static_cast<std::uint8_t>(std::clamp((sum + (1 << (weight_bits - 1))) >> weight_bits, 0, 255));
}

}  // namespace

Pixels resample(const Pixels& image, const Box& box, const Target& target) {
  const std::vector<Taps> across =
      taps_of(box.left, box.width, image.width, target.width, target.left, target.size);
  const std::vector<Taps> down =
      taps_of(box.top, box.height, image.height, target.height, target.top, target.size);
  const std::size_t channels = image.channels;
  // Only the rows that the second pass reads.
  const std::size_t first_row = down.front().first;
  const std::size_t last_row = down.back().first + down.back().weights.size();
  const std::size_t line = target.size * channels;
  std::vector<std::uint8_t> rows((last_row - first_row) * line);
  for (std::size_t y = first_row; y < last_row; ++y) {
    const std::uint8_t* in = image.values.data() + y * image.width * channels;
    std::uint8_t* out = rows.data() + (y - first_row) * line;
    for (const Taps& taps : across)
      for (std::size_t c = 0; c < channels; ++c) {
        std::int32_t sum = 0;
        for (std::size_t k = 0; k < taps.weights.size(); ++k)
          sum += taps.weights[k] * in[(taps.first + k) * channels + c];
        *out++ = rounded(sum);
      }
  }
  Pixels out{target.size, target.size, channels, {}};
  out.values.resize(target.size * line);
  std::vector<std::int32_t> sums(line);
  std::uint8_t* to = out.values.data();
  for (const Taps& taps : down) {
    std::ranges::fill(sums, 0);
    for (std::size_t k = 0; k < taps.weights.size(); ++k) {
      const std::uint8_t* in = rows.data() + (taps.first + k - first_row) * line;
      for (std::size_t i = 0; i < line; ++i) sums[i] += taps.weights[k] * in[i];
    }
    to = std::ranges::transform(sums, to, rounded).out;
  }
  return out;
}

Pixels resize_and_crop(const Pixels& image, std::size_t size) {
  const std::size_t shorter = std::min(image.width, image.height);
  const auto scaled = [&](std::size_t side) { return side == shorter ? size : size * side / shorter; };
  Target target{scaled(image.width), scaled(image.height), 0, 0, size};
  const auto centred = [&](std::size_t side) {  // rounds halves to even
    return static_cast<std::size_t>(std::nearbyint(static_cast<double>(side - size) / 2.0));
  };
  target.left = centred(target.width);
  target.top = centred(target.height);
  if (target.width == image.width && target.height == image.height && image.width == image.height)
    return image;
  return resample(image, {0, 0, static_cast<double>(image.width), static_cast<double>(image.height)}, target);
}

}  // namespace hansa::learning::kinds
