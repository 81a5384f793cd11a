// Encoded updates that wait until several of them can be added to the sum in one pass. For most codecs, decoding a
// value costs less than moving its part of the sum between memory and caches.
//
// One thread. The sum and the pool of the spools outlive the object.
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
  // Maximum number of waiting updates. Together they take at most two bytes per parameter, and so do their decompressed
  // bytes.
  static constexpr std::size_t waiting_max = 8;

  // vectors: of an update, of equal size.
  explicit EncodedUpdates(Accumulator& sum, std::size_t vectors = 1) : sum_(sum), vectors_(vectors) {}

  // Takes over a complete update and counts it. Returns the norm of each of its vectors. Fails (protocol) as Update::read and
  // check_weight do, or (storage) as Spool::whole does; nothing is changed then. The plan must live until the update is
  // added.
  [[nodiscard]] Result<std::vector<double>> add(const codecs::Plan& plan, const codecs::Seeds& seeds,
                                                float magnitude_max, Spool spool, std::uint64_t weight);
  // Adds the waiting updates to the sum, and returns their memory to the pool.
  void finish();
  // Drops the waiting updates, because their sum is abandoned.
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
  std::size_t vectors_;
  std::array<Place, waiting_max> places_;
  std::size_t waiting_ = 0;
  std::vector<std::byte> read_;  // the bytes of an update whose spool is a file
};

}  // namespace hansa::server
