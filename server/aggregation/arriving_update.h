// A float32 update that is added to the sum while it arrives. At that time its values are in the caches, and so is the
// part of the sum to which concurrent updates are added. Adding complete updates afterwards would read the update and
// the sum from memory again. An update that does not become complete and valid is subtracted again, which is exact for
// sums of integers.
//
// One thread. The sum outlives its updates; all of them end before its next begin().
#pragma once
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "common/error.h"
#include "server/aggregation/accumulator.h"
#include "server/aggregation/spool.h"
#include "server/aggregation/vector_squares.h"

namespace hansa::server {

class ArrivingUpdate {
 public:
  // vectors: of the update, of equal size.
  ArrivingUpdate(Spool spool, Accumulator& sum, std::uint64_t weight, std::size_t vectors = 1)
      : spool_(std::move(spool)), sum_(sum), weight_(weight), squares_(sum.elements(), vectors) {}
  ~ArrivingUpdate() { take_out(); }
  ArrivingUpdate(const ArrivingUpdate&) = delete;
  ArrivingUpdate& operator=(const ArrivingUpdate&) = delete;

  [[nodiscard]] const Spool& spool() const { return spool_; }
  // Stores the bytes, and adds the values that are complete. If the spool is a file, count() adds all values. count()
  // also reports invalid values. Fails as Spool::append does.
  [[nodiscard]] Result<void> append(std::span<const std::byte> data);
  // Requires a complete update. Adds the values that are not in the sum yet, and counts the update, which then stays in
  // the sum. Fails (protocol) as Accumulator::add and check_weight do; nothing of the update is in the sum then. Fails
  // (storage) as Spool::visit does; the sum is unusable then.
  [[nodiscard]] Result<void> count();
  // The Euclidean norm of each vector, of the values that were added: after count(), of all.
  [[nodiscard]] std::vector<double> norms() const { return squares_.norms(); }
  // Removes the update from the sum, unless it was counted.
  void take_out();

 private:
  void add(std::span<const float> values);  // the next values of the update
  [[nodiscard]] Result<void> add_rest();

  Spool spool_;
  Accumulator& sum_;
  std::uint64_t weight_;
  std::size_t added_ = 0;  // number of leading values that are in the sum
  VectorSquares squares_;  // of the values that were added
  std::optional<Error> refused_;  // the error of an invalid value
};

}  // namespace hansa::server
