// Why no bit is lost and no sum overflows.
//
// A float32 has 24 significant bits and a weight at most 29 (weight <= 2^29 is either below 2^29 or
// that power of two), so weight * delta has at most 53: exact in a double. Multiplying by the power of
// two 2^scale_bits is exact too. The only rounding is the one to an integer, at most 1/2 per update.
//
// With P = weight_max * updates_max * magnitude_max, scale_bits = min(40, 62 - ceil(log2 P)), so
//   |sum| <= updates_max * (weight_max * magnitude_max * 2^scale_bits + 1/2)
//         <= 2^62 + 50,000 < 2^63.
// Because of rounding, decoded values may exceed magnitude_max by less than a hundredth (codecs/update.h). 1.01 * 2^62
// is still below 2^63.
// P itself is computed in double: a product rounded down to a power of two may hide a factor of
// at most 1 + 2^-52, which the factor of 2 between 2^62 and 2^63 covers.
#include "server/aggregation/accumulator.h"

#include <algorithm>
#include <atomic>
#include <cassert>
#include <cmath>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include "common/kernels/fold.h"
#include "common/kernels/vectors.h"

namespace hansa::server {
namespace {

constexpr int scale_bits_max = 40;
constexpr int scale_bits_min = 8;
constexpr std::uint64_t weight_limit = 1ULL << 29;
constexpr std::uint32_t updates_limit = 100'000;
// A part of the sum that stays in a core's second-level cache while updates are added to it one after the other.
constexpr std::size_t cached_elements = 1 << 15;

int ceil_log2(double value) {
  int exponent = 0;
  const double fraction = std::frexp(value, &exponent);  // value = fraction * 2^exponent, 1/2 <= fraction < 1
  return fraction == 0.5 ? exponent - 1 : exponent;
}

}  // namespace

Accumulator::Accumulator(std::size_t elements, WorkerPool& workers)
    : elements_(elements), sums_(elements * sizeof(std::int64_t)), workers_(&workers) {}

Result<void> Accumulator::begin(const AccumulationBounds& bounds) {
  if (bounds.weight_max < 1 || bounds.weight_max > weight_limit)
    return fail(ErrorCode::usage, "limits.examples_max", "is not within 1 to 536870912");
  if (bounds.updates_max < 1 || bounds.updates_max > updates_limit)
    return fail(ErrorCode::usage, "cohort", "has room for updates that is not within 1 to 100000");
  if (!std::isfinite(bounds.magnitude_max) || !(bounds.magnitude_max > 0))
    return fail(ErrorCode::usage, "limits.magnitude_max", "is not a finite number above 0");
  if (elements_ != 0 && sums_.data() == nullptr)
    return fail(ErrorCode::resource, "accumulator",
                "got no memory for the sum of " + std::to_string(elements_) + " parameters",
                "it needs 8 bytes a parameter");
  const double product = static_cast<double>(bounds.weight_max) * static_cast<double>(bounds.updates_max) *
                         static_cast<double>(bounds.magnitude_max);
  const int scale_bits = std::min(scale_bits_max, 62 - ceil_log2(product));
  if (scale_bits < scale_bits_min)
    return fail(
        ErrorCode::usage, "limits",
        "leave " + std::to_string(scale_bits) + " bits for fractions in a 64-bit sum, at least 8 are needed",
        "lower limits.magnitude_max, limits.examples_max or the cohort's size");
  bounds_ = bounds;
  scale_bits_ = scale_bits;
  total_weight_ = 0;
  updates_ = 0;
  clear();
  return {};
}

void Accumulator::clear() {
  if (std::exchange(clear_, true)) return;
  workers_->for_slices(elements_, [this](std::size_t first, std::size_t last) {
    std::fill(sum_data() + first, sum_data() + last, std::int64_t{0});
  });
}

Result<void> Accumulator::check_place(std::size_t values, std::size_t first_element) const {
  if (first_element <= elements_ && values <= elements_ - first_element) return {};
  return fail(ErrorCode::protocol, "update", "has more values than the model has parameters");
}

Result<void> Accumulator::check(std::span<const float> delta, std::size_t first_element) const {
  HANSA_TRY_VOID(check_place(delta.size(), first_element));
  struct {
    std::span<const float> delta;
    float limit;
    std::atomic<std::size_t> first_bad;
  } scan{delta, bounds_.magnitude_max, delta.size()};
  workers_->for_slices(delta.size(), [&scan](std::size_t first, std::size_t last) {
    const std::size_t found =
        first + kernels::first_outside(scan.delta.subspan(first, last - first), scan.limit);
    if (found == last) return;
    std::size_t known = scan.first_bad.load();
    while (found < known && !scan.first_bad.compare_exchange_weak(known, found)) {
    }
  });
  return all_within(delta, scan.first_bad.load(), first_element);
}

Result<void> Accumulator::all_within(std::span<const float> delta, std::size_t outside,
                                     std::size_t first_element) const {
  if (outside == delta.size()) return {};
  return fail(ErrorCode::protocol, "update",
              "has " + std::to_string(delta[outside]) + " at parameter " +
                  std::to_string(first_element + outside) + ", and values must be finite and within +-" +
                  std::to_string(bounds_.magnitude_max),
              "lower the client's learning rate, or raise limits.magnitude_max");
}

Result<void> Accumulator::check_weight(std::uint64_t weight) const {
  if (weight >= 1 && weight <= bounds_.weight_max) return {};
  return fail(ErrorCode::protocol, "update",
              "counts " + std::to_string(weight) + " examples, and a client may count 1 to " +
                  std::to_string(bounds_.weight_max),
              weight == 0 ? "" : "raise limits.examples_max");
}

Result<void> Accumulator::add(std::span<const float> delta, std::size_t first_element, std::uint64_t weight) {
  clear_ = false;
  HANSA_TRY_VOID(check_place(delta.size(), first_element));
  assert(weight >= 1 && weight <= bounds_.weight_max && updates_ < bounds_.updates_max);
  struct {
    std::span<std::int64_t> sums;
    std::span<const float> delta;
    double factor;
    float limit;
    std::mutex mutex;
    std::size_t outside;  // index of the first invalid value
    std::vector<std::size_t> refused;  // first elements of the slices to which nothing was added
  } fold{{sum_data() + first_element, delta.size()},
         delta,
         std::ldexp(static_cast<double>(weight), scale_bits_),
         bounds_.magnitude_max,
         {},
         delta.size(),
         {}};
  workers_->for_slices(delta.size(), [&fold](std::size_t first, std::size_t last) {
    const std::size_t count = last - first;
    const std::size_t within = kernels::add_scaled_within(
        fold.sums.subspan(first, count), fold.delta.subspan(first, count), fold.factor, fold.limit);
    if (within == count) return;
    const std::lock_guard lock(fold.mutex);
    fold.outside = std::min(fold.outside, first + within);
    fold.refused.push_back(first);
  });
  if (!fold.refused.empty()) {
    subtract_slices(delta, first_element, weight, fold.refused);
  }
  return all_within(delta, fold.outside, first_element);
}

void Accumulator::subtract(std::span<const float> delta, std::size_t first_element, std::uint64_t weight) {
  assert(check_place(delta.size(), first_element));
  subtract_slices(delta, first_element, weight, {});
}

// Subtracting restores the earlier sum exactly, because the sums are integers.
void Accumulator::subtract_slices(std::span<const float> delta, std::size_t first_element,
                                  std::uint64_t weight, std::span<const std::size_t> except) {
  struct {
    std::span<std::int64_t> sums;
    std::span<const float> delta;
    double factor;
    std::span<const std::size_t> except;
  } const fold{{sum_data() + first_element, delta.size()},
               delta,
               -std::ldexp(static_cast<double>(weight), scale_bits_),
               except};
  workers_->for_slices(delta.size(), [&fold](std::size_t first, std::size_t last) {
    if (std::ranges::find(fold.except, first) != fold.except.end()) return;
    kernels::add_scaled(fold.sums.subspan(first, last - first), fold.delta.subspan(first, last - first),
                        fold.factor);
  });
}

void Accumulator::add(std::span<const WeightedUpdate> updates) {
  if (updates.empty()) return;
  clear_ = false;
  struct {
    std::span<const WeightedUpdate> updates;
    std::span<std::int64_t> sums;
    int scale_bits;
    void add(const WeightedUpdate& weighted, std::size_t first, std::size_t last) const {
      weighted.update->fold(first, last, std::ldexp(static_cast<double>(weighted.weight), scale_bits), sums);
    }
  } const fold{updates, {sum_data(), elements_}, scale_bits_};
  for ([[maybe_unused]] const auto& [update, weight] : updates)
    assert(update->values() == elements_ && weight >= 1 && weight <= bounds_.weight_max);
  assert(updates_ <= bounds_.updates_max);  // count_update() was called for them before
  workers_->for_slices(elements_, [&fold](std::size_t first, std::size_t last) {
    for (std::size_t at = first; at < last; at += cached_elements)
      for (const WeightedUpdate& weighted : fold.updates)
        if (weighted.update->is_seekable()) fold.add(weighted, at, std::min(at + cached_elements, last));
    for (const WeightedUpdate& weighted : fold.updates)
      if (!weighted.update->is_seekable()) fold.add(weighted, first, last);
  });
}

std::vector<double> Accumulator::norms_of(const codecs::Update& update, std::size_t vectors) const {
  struct {
    const codecs::Update& update;
    std::size_t begin = 0;  // of the vector
    std::mutex mutex = {};
    std::vector<std::pair<std::size_t, double>> squares = {};  // by the slice's first element
  } scan{update};
  const std::size_t size = update.values() / vectors;
  std::vector<double> out;
  for (; out.size() < vectors; scan.begin += size) {
    scan.squares.clear();
    workers_->for_slices(size, [&scan](std::size_t first, std::size_t last) {
      const double part = scan.update.squares(scan.begin + first, scan.begin + last);
      const std::lock_guard lock(scan.mutex);
      scan.squares.emplace_back(first, part);
    });
    std::ranges::sort(scan.squares);  // so that the sum does not depend on the order of the threads
    double squares = 0;
    for (const auto& [first, part] : scan.squares) squares += part;
    out.push_back(std::sqrt(squares));
  }
  return out;
}

void Accumulator::count_update(std::uint64_t weight) {
  assert(weight >= 1 && weight <= bounds_.weight_max && updates_ < bounds_.updates_max);
  total_weight_ += weight;
  ++updates_;
}

void Accumulator::read(std::size_t first, std::span<double> out) const {
  assert(total_weight_ > 0 && first <= elements_ && out.size() <= elements_ - first);
  // At most 2^29 * 100,000 < 2^46, times a power of two: exact.
  kernels::quotients(sums().subspan(first, out.size()),
                     std::ldexp(static_cast<double>(total_weight_), scale_bits_), out);
}

}  // namespace hansa::server
