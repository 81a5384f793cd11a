#include "learning/data/kinds/images/augment.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <optional>

namespace hansa::learning::kinds {
namespace {

double between(double least, double most, Random& random) {
  return least + (most - least) * random.uniform();
}

std::optional<Box> random_box(const Pixels& image, Random& random) {
  const auto width = static_cast<double>(image.width), height = static_cast<double>(image.height);
  constexpr int attempts = 10;
  for (int attempt = 0; attempt < attempts; ++attempt) {
    const double area = width * height * between(0.25, 1, random);
    const double ratio = std::exp(between(std::log(3.0 / 4.0), std::log(4.0 / 3.0), random));
    const double w = std::round(std::sqrt(area * ratio)), h = std::round(std::sqrt(area / ratio));
    if (w < 1 || h < 1 || w > width || h > height) continue;
    const auto offset = [&](double room) {
      return static_cast<double>(random.below(static_cast<std::uint64_t>(room) + 1));
    };
    const double left = offset(width - w);
    return Box{left, offset(height - h), w, h};
  }
  return std::nullopt;
}

void mirror(Pixels& image) {
  for (std::size_t y = 0; y < image.height; ++y) {
    std::uint8_t* row = image.values.data() + y * image.width * image.channels;
    for (std::size_t a = 0, b = image.width - 1; a < b; ++a, --b)
      std::swap_ranges(row + a * image.channels, row + (a + 1) * image.channels, row + b * image.channels);
  }
}

float grey_at(std::span<const float> values, std::size_t pixels, std::size_t i) {
  return 0.299F * values[i] + 0.587F * values[pixels + i] + 0.114F * values[2 * pixels + i];
}

// value = other + factor * (value - other)
float blended(float value, float other, float factor) {
  return std::clamp(other + factor * (value - other), 0.0F, 1.0F);
}

}  // namespace

Augmentation augmentation_of(const std::vector<std::string>& names) {
  const auto has = [&](const char* name) { return std::ranges::find(names, name) != names.end(); };
  return {has("flip"), has("crop"), has("jitter")};
}

Pixels augmented_crop(const Pixels& image, std::size_t size, const Augmentation& with, Random& random) {
  std::optional<Box> box;
  if (with.crop) box = random_box(image, random);
  Pixels out = box ? resample(image, *box, {size, size, 0, 0, size}) : resize_and_crop(image, size);
  if (with.flip && random.chance(0.5)) mirror(out);
  return out;
}

void jitter_colors(std::span<float> values, std::size_t channels, Random& random) {
  const auto brightness = static_cast<float>(between(0.8, 1.2, random));
  const auto contrast = static_cast<float>(between(0.8, 1.2, random));
  const auto saturation = static_cast<float>(between(0.8, 1.2, random));
  const std::size_t pixels = values.size() / channels;
  for (float& value : values) value = blended(value, 0, brightness);
  double sum = 0;
  for (std::size_t i = 0; i < pixels; ++i)
    sum += static_cast<double>(channels == 3 ? grey_at(values, pixels, i) : values[i]);
  const auto mean = static_cast<float>(sum / static_cast<double>(pixels));
  for (float& value : values) value = blended(value, mean, contrast);
  if (channels != 3) return;
  for (std::size_t i = 0; i < pixels; ++i) {
    const float grey = grey_at(values, pixels, i);
    for (std::size_t c = 0; c < 3; ++c)
      values[c * pixels + i] = blended(values[c * pixels + i], grey, saturation);
  }
}

}  // namespace hansa::learning::kinds
