// Identifiers as types: a round cannot be passed for a session, nor a plain integer for either.
// They convert to nothing; `.value` gives the integer.
#pragma once
#include <compare>
#include <cstdint>
#include <functional>

namespace hansa {

template <class Tag, class Representation = std::uint64_t>
struct Identifier {
  Representation value{};
  constexpr Identifier() = default;
  constexpr explicit Identifier(Representation v) : value(v) {}
  friend constexpr auto operator<=>(const Identifier&, const Identifier&) = default;
};

// Rounds count from 1; round 0 is the initial model.
using RoundId = Identifier<struct RoundTag, std::uint32_t>;
// One conversation between a client and the aggregator; never reused within a federation's run.
using SessionId = Identifier<struct SessionTag>;
// One assignment of one client in one round, unique within a run: see make_task_id.
using TaskId = Identifier<struct TaskTag>;
// The transport's name for a connection; meaningless outside the process.
using PeerId = Identifier<struct PeerTag>;
// Index of a client in the aggregator's roster (sorted names); meaningless outside the process.
using ClientIndex = Identifier<struct ClientTag, std::uint32_t>;

}  // namespace hansa

template <class Tag, class Representation>
struct std::hash<hansa::Identifier<Tag, Representation>> {
  std::size_t operator()(const hansa::Identifier<Tag, Representation>& id) const noexcept {
    return std::hash<Representation>{}(id.value);
  }
};
