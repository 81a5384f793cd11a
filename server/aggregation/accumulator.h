// Exact accumulation: weighted sums of float32 vectors in 64-bit fixed point.
//
// sum_i = sum over updates u of round(weight_u * delta_u[i] * 2^scale_bits), as int64.
// Integer sums are associative: order, threads and restarts cannot change a bit.
// Memory: 8 bytes an element, for any number of updates. One thread owns an accumulator; it
// spreads its loops over the workers itself.
#pragma once
#include <cstdint>
#include <span>

#include "common/error.h"
#include "protocols/codecs/update.h"
#include "common/page_memory.h"
#include "server/aggregation/worker_pool.h"

namespace hansa::server {

// What a round accepts; fixes the scale when the round starts.
struct AccumulationBounds {
  std::uint64_t weight_max = 1 << 20;  // of one update: 1 to 2^29
  std::uint32_t updates_max = 1;  // in one round: 1 to 100,000
  float magnitude_max = 64.0F;  // of one delta value: above 0, finite
};

struct WeightedUpdate {
  const codecs::Update* update = nullptr;
  std::uint64_t weight = 0;
};

class Accumulator {
 public:
  Accumulator(std::size_t elements, WorkerPool& workers);

  // The sum is zero then, and the scale fixed. Fails (usage) when a bound is out of its range or they leave
  // fewer than 8 fraction bits; (resource) when the constructor got no memory. Allocates nothing.
  [[nodiscard]] Result<void> begin(const AccumulationBounds& bounds);
  // Zeroes the sum of a round that is over, so that begin() need not: for when there is time.
  void clear();
  [[nodiscard]] int scale_bits() const { return scale_bits_; }
  // Of the sum in work: begin() starts another.
  [[nodiscard]] std::uint64_t number() const { return number_; }

  // Every value finite and within magnitude_max, weight within 1..weight_max; adds nothing.
  // Fails (protocol) naming the first bad element.
  [[nodiscard]] Result<void> check(std::span<const float> delta, std::size_t first_element) const;
  [[nodiscard]] Result<void> check_weight(std::uint64_t weight) const;
  // Adds weight * delta to elements first_element..., or nothing: fails as check() does, in one look at the values.
  [[nodiscard]] Result<void> add(std::span<const float> delta, std::size_t first_element,
                                 std::uint64_t weight);
  // The same for whole encoded updates, in one pass over the sum; their values are within magnitude_max, as Update::read
  // checked, and their weights as check_weight() does.
  void add(std::span<const WeightedUpdate> updates);
  // Takes out again what add() has added since the last begin().
  void subtract(std::span<const float> delta, std::size_t first_element, std::uint64_t weight);
  // Counts one whole update, whose last add() came or will come before finish().
  void count_update(std::uint64_t weight);

  [[nodiscard]] std::uint64_t total_weight() const { return total_weight_; }
  [[nodiscard]] std::uint32_t updates() const { return updates_; }
  [[nodiscard]] std::size_t elements() const { return elements_; }
  [[nodiscard]] std::span<const std::int64_t> sums() const { return {sum_data(), elements_}; }

  // The sum's memory as elements() floats, for whoever needs some between finish() and begin(): the sum is gone then.
  [[nodiscard]] std::span<float> scratch() {
    clear_ = false;
    return {reinterpret_cast<float*>(sums_.data()), elements_};
  }

  // next[i] = global[i] + sum_i / (total_weight * 2^scale_bits); next may be global itself.
  // Rounded to the nearest float32; beyond the largest float32 it is that, never infinite.
  // total_weight() > 0, global finite, all of elements() values.
  void finish(std::span<const float> global, std::span<float> next) const;

 private:
  [[nodiscard]] Result<void> check_place(std::size_t values, std::size_t first_element) const;
  // But for the slices of for_slices that begin at one of except.
  void subtract_slices(std::span<const float> delta, std::size_t first_element, std::uint64_t weight,
                       std::span<const std::size_t> except);
  // Ok if outside is none of the values.
  [[nodiscard]] Result<void> all_within(std::span<const float> delta, std::size_t outside,
                                        std::size_t first_element) const;
  [[nodiscard]] std::int64_t* sum_data() { return reinterpret_cast<std::int64_t*>(sums_.data()); }
  [[nodiscard]] const std::int64_t* sum_data() const {
    return reinterpret_cast<const std::int64_t*>(sums_.data());
  }

  std::size_t elements_;
  PageBuffer sums_;
  WorkerPool* workers_;
  AccumulationBounds bounds_;
  int scale_bits_ = 0;
  bool clear_ = false;  // all of the sum is zero
  std::uint64_t number_ = 0;
  std::uint64_t total_weight_ = 0;
  std::uint32_t updates_ = 0;
};

}  // namespace hansa::server
