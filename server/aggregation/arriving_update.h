// A float32 update that is added to the sum while it arrives. Its values lie in the caches then, and so do the same
// places of the sum, to which the updates that arrive at the same time are added: adding a complete update afterwards
// would read it and the sum from memory again. An update that does not become complete and valid is taken out again,
// which sums of integers allow to the last bit.
//
// One thread. The sum outlives its updates, which all end before its next begin().
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>

#include "common/error.h"
#include "server/aggregation/accumulator.h"
#include "server/aggregation/spool.h"

namespace hansa::server {

class ArrivingUpdate {
 public:
  ArrivingUpdate(Spool spool, Accumulator& sum, std::uint64_t weight)
      : spool_(std::move(spool)), sum_(sum), weight_(weight) {}
  ~ArrivingUpdate() { take_out(); }
  ArrivingUpdate(const ArrivingUpdate&) = delete;
  ArrivingUpdate& operator=(const ArrivingUpdate&) = delete;

  [[nodiscard]] const Spool& spool() const { return spool_; }
  // Keeps the bytes, and adds the values that are complete; those of an update that goes to a file wait for count(),
  // and so does the error of a value that no update may have. Fails as Spool::append does.
  [[nodiscard]] Result<void> append(std::span<const std::byte> data);
  // The update is complete: adds what is not in the sum yet, and counts it; from then on it stays there. Fails
  // (protocol) as Accumulator::add and check_weight do, and then nothing of it is in the sum; or (storage) as
  // Spool::visit does, and then the sum is of no more use.
  [[nodiscard]] Result<void> count();
  // Nothing of it is in the sum afterwards, unless it was counted.
  void take_out();

 private:
  void add(std::span<const float> values);  // the values after those that are in the sum
  [[nodiscard]] Result<void> add_rest();

  Spool spool_;
  Accumulator& sum_;
  std::uint64_t weight_;
  std::size_t added_ = 0;  // values, from the first on, that are in the sum
  std::optional<Error> refused_;  // a value is not one that an update may have
};

}  // namespace hansa::server
