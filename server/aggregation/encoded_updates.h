// Encoded updates that wait until several of them can be added to the sum in one pass: for most codecs, decoding a
// value costs less than bringing its part of the sum from memory and back.
//
// One thread. The sum outlives them, and so does the pool of their spools.
#pragma once
#include <array>
#include <cstdint>
#include <optional>
#include <vector>

#include "common/error.h"
#include "protocols/codecs/update.h"
#include "server/aggregation/accumulator.h"
#include "server/aggregation/spool.h"

namespace hansa::server {

class EncodedUpdates {
 public:
  // Updates that wait at most. Together they take at most two bytes a parameter, and so does what they unpack to.
  static constexpr std::size_t waiting_max = 8;

  explicit EncodedUpdates(Accumulator& sum) : sum_(sum) {}

  // Takes over a complete update, and counts it in the sum. Fails with nothing changed: (protocol) as Update::read and
  // check_weight do, (storage) as Spool::whole does. The plan stays until the update is added.
  [[nodiscard]] Result<void> add(const codecs::Plan& plan, const codecs::Seeds& seeds, float magnitude_max,
                                 Spool spool, std::uint64_t weight);
  // Adds the updates that wait, and gives their memory back to the pool.
  void finish();
  // Drops the updates that wait, for a sum that is abandoned.
  void forget();
  [[nodiscard]] std::size_t waiting() const { return waiting_; }

 private:
  struct Place {
    std::optional<Spool> spool;
    std::vector<std::byte> unpacked;
    std::optional<codecs::Update> update;
    std::uint64_t weight = 0;
  };

  Accumulator& sum_;
  std::array<Place, waiting_max> places_;
  std::size_t waiting_ = 0;
  std::vector<std::byte> read_;  // an update that came through a file
};

}  // namespace hansa::server
