// Exact accumulation: weighted sums of float32 vectors in 64-bit fixed point, and their mean.
//
// sum_i = sum over updates u of round(weight_u * delta_u[i] * 2^scale_bits), as int64.
// mean_i = sum_i / (total_weight * 2^scale_bits).
// Integer sums are associative, so that order, threads and restarts do not change a bit.
// Memory: 8 bytes per element, for any number of updates. One thread owns an accumulator, which distributes its loops
// over the workers.
#pragma once
#include <cstdint>
#include <span>
#include <vector>

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

  // Sets the sum to zero and chooses the scale. Fails (usage) if a bound is out of range or the bounds leave fewer than
  // 8 fraction bits; (resource) if the constructor got no memory. Does not allocate memory.
  [[nodiscard]] Result<void> begin(const AccumulationBounds& bounds);
  // Sets the sum of a finished round to zero ahead of time, so that begin() need not do it.
  void clear();
  [[nodiscard]] int scale_bits() const { return scale_bits_; }

  // Fails (protocol), naming the first invalid element, unless every value is finite and within magnitude_max. Adds
  // nothing.
  [[nodiscard]] Result<void> check(std::span<const float> delta, std::size_t first_element) const;
  // Fails (protocol) unless the weight is 1 to weight_max.
  [[nodiscard]] Result<void> check_weight(std::uint64_t weight) const;
  // Adds weight * delta to the elements from first_element on, or adds nothing and fails as check() does. Reads the
  // values once.
  [[nodiscard]] Result<void> add(std::span<const float> delta, std::size_t first_element,
                                 std::uint64_t weight);
  // The same for complete encoded updates, in one pass over the sum. Update::read has checked their values, and
  // check_weight() their weights.
  void add(std::span<const WeightedUpdate> updates);
  // The Euclidean norm of each of an update's vectors of equal size, as far as Update::squares() is exact. A vector begins with a
  // segment of the plan.
  [[nodiscard]] std::vector<double> norms_of(const codecs::Update& update, std::size_t vectors) const;
  // Undoes an add() since the last begin().
  void subtract(std::span<const float> delta, std::size_t first_element, std::uint64_t weight);
  // Counts one complete update. All of its add() calls must come before the mean is read.
  void count_update(std::uint64_t weight);

  [[nodiscard]] std::uint64_t total_weight() const { return total_weight_; }
  [[nodiscard]] std::uint32_t updates() const { return updates_; }
  [[nodiscard]] std::size_t elements() const override { return elements_; }
  [[nodiscard]] std::span<const std::int64_t> sums() const { return {sum_data(), elements_}; }

  // The sum's memory as elements() floats, for use between reading the mean and begin(). Destroys the sum.
  [[nodiscard]] std::span<float> scratch() {
    clear_ = false;
    return {reinterpret_cast<float*>(sums_.data()), elements_};
  }

  // Reads the mean. Requires total_weight() > 0.
  void read(std::size_t first, std::span<double> out) const override;

 private:
  [[nodiscard]] Result<void> check_place(std::size_t values, std::size_t first_element) const;
  // Omits the slices of for_slices() whose first element is in `except`.
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
