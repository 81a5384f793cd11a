// Exact accumulation: weighted sums of float32 vectors in 64-bit fixed point, and their mean.
//
// sum_i = sum over updates u of round(weight_u * delta_u[i] * 2^scale_bits), as int64.
// mean_i = sum_i / (total_weight * 2^scale_bits).
// Integer sums are associative: order, threads and restarts cannot change a bit.
// Memory: 8 bytes an element, for any number of updates. One thread owns an accumulator; it
// spreads its loops over the workers itself.
#pragma once
#include <cstdint>
#include <span>

#include "common/error.h"
#include "common/page_memory.h"
#include "protocols/codecs/update.h"
#include "server/aggregation/mean.h"
#include "server/aggregation/update_setup.h"
#include "server/aggregation/worker_pool.h"

namespace hansa::server {

struct WeightedUpdate {
  const codecs::Update* update = nullptr;
  std::uint64_t weight = 0;
};

class Accumulator final : public Mean {
 public:
  Accumulator(std::size_t elements, WorkerPool& workers);

  // Makes the sum zero and fixes the scale. Fails (usage) when a bound is out of its range or they leave
  // fewer than 8 fraction bits; (resource) when the constructor got no memory. Allocates nothing.
  [[nodiscard]] Result<void> begin(const AccumulationBounds& bounds);
  // Makes the sum of a finished round zero while there is time, so that begin() need not.
  void clear();
  [[nodiscard]] int scale_bits() const { return scale_bits_; }

  // Every value finite and within magnitude_max, weight within 1 to weight_max; adds nothing.
  // Fails (protocol), naming the first invalid element.
  [[nodiscard]] Result<void> check(std::span<const float> delta, std::size_t first_element) const;
  [[nodiscard]] Result<void> check_weight(std::uint64_t weight) const;
  // Adds weight * delta to the elements from first_element on, or adds nothing and fails as check() does. Reads the
  // values once.
  [[nodiscard]] Result<void> add(std::span<const float> delta, std::size_t first_element,
                                 std::uint64_t weight);
  // The same for complete encoded updates, in one pass over the sum. Update::read has checked their values, and
  // check_weight() their weights.
  void add(std::span<const WeightedUpdate> updates);
  // Undoes an add() since the last begin().
  void subtract(std::span<const float> delta, std::size_t first_element, std::uint64_t weight);
  // Counts one complete update, whose last add() was called or will be called before the mean is read.
  void count_update(std::uint64_t weight);

  [[nodiscard]] std::uint64_t total_weight() const { return total_weight_; }
  [[nodiscard]] std::uint32_t updates() const { return updates_; }
  [[nodiscard]] std::size_t elements() const override { return elements_; }
  [[nodiscard]] std::span<const std::int64_t> sums() const { return {sum_data(), elements_}; }

  // The sum's memory as elements() floats, for use after the mean was read and before begin(): the sum is gone then.
  [[nodiscard]] std::span<float> scratch() {
    clear_ = false;
    return {reinterpret_cast<float*>(sums_.data()), elements_};
  }

  // The mean; total_weight() > 0.
  void read(std::size_t first, std::span<double> out) const override;

 private:
  [[nodiscard]] Result<void> check_place(std::size_t values, std::size_t first_element) const;
  // Leaves out those slices of for_slices that begin at one of `except`.
  void subtract_slices(std::span<const float> delta, std::size_t first_element, std::uint64_t weight,
                       std::span<const std::size_t> except);
  // Fails, naming the value at `outside`, unless outside is delta.size().
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
  std::uint64_t total_weight_ = 0;
  std::uint32_t updates_ = 0;
};

}  // namespace hansa::server
