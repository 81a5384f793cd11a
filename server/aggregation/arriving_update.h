// An update on its way into the sum. Float32 values are added as they come, while they lie in the caches, and beside the same places of the
// updates that come at the same time: adding a whole one afterwards reads it and the sum from memory again. What does not become whole and sound is
// taken out again: sums of integers forget it to the last bit.
//
// One thread. The sum outlives its updates.
#pragma once
#include <cassert>
#include <cstdint>
#include <optional>
#include <span>

#include "common/error.h"
#include "server/aggregation/accumulator.h"
#include "server/aggregation/spool.h"

namespace hansa::server {

class ArrivingUpdate {
 public:
  ArrivingUpdate(Spool spool, Accumulator& sum) : spool_(std::move(spool)), sum_(sum) {}
  ~ArrivingUpdate() { take_out(); }
  ArrivingUpdate(const ArrivingUpdate&) = delete;
  ArrivingUpdate& operator=(const ArrivingUpdate&) = delete;

  [[nodiscard]] const Spool& spool() const { return spool_; }
  // Of one of which nothing was added: for whoever adds it in another way. This one is at its end then.
  [[nodiscard]] Spool release_spool() {
    assert(added_ == 0);
    return std::move(spool_);
  }
  // Fails as Spool::append does.
  [[nodiscard]] Result<void> append(std::span<const std::byte> data) { return spool_.append(data); }
  // The same, and adds with that weight what has arrived of the values. An update that goes to a file waits until it is whole. Of a value
  // that no update may have count() tells.
  [[nodiscard]] Result<void> append_and_add(std::span<const std::byte> data, std::uint64_t weight);
  // Of a complete one: adds what is not in the sum yet, and counts it; from then on it stays there. Fails (protocol) as Accumulator::add and
  // check_weight do, with nothing of it in the sum then; or (storage) as Spool::visit does, and the sum is of no more use.
  [[nodiscard]] Result<void> count(std::uint64_t weight);
  // Nothing of it is in the sum afterwards, unless it was counted.
  void take_out();

 private:
  // Of what may be in the sum: nothing that a begin() has wiped out since.
  void forget_older_sum();
  // Adds values, which come next.
  void add(std::span<const float> values);
  [[nodiscard]] Result<void> add_all(std::uint64_t weight);

  Spool spool_;
  Accumulator& sum_;
  std::uint64_t sum_number_ = 0;
  std::size_t added_ = 0;  // so many of the first values are in the sum
  std::uint64_t weight_ = 0;  // with which they are
  std::optional<Error> refused_;  // a value is not one that an update may have
};

}  // namespace hansa::server
