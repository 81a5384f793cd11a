// Fetches the last model of a federation that is finished: a pure state machine.
//
//   idle -> fetching -> complete, or idle again
//
// Only a model after the one that this device trained last reaches it in this way: before, each task brought the model
// of the round before. The blob is named by the digest of its values (common/vector_digest.h). The fetch ends with its
// session. No I/O, clock or thread; one thread owns it.
#pragma once
#include <cstdint>
#include <optional>
#include <vector>

#include "client/agent/effects.h"
#include "common/digest.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "protocols/round/flow_window.h"

namespace hansa::client {

class LastModel {
 public:
  // `task` is the last one of this device, whose archive and layout the model has. Returns the first Pull; empty if the
  // model was fetched already.
  [[nodiscard]] std::optional<messages::Pull> begin(SharedTask task, const messages::Finished& finished,
                                                    std::uint32_t chunk_bytes, Instant now);
  // A chunk arrived. Appends what to do with it; returns the next Pull, if one is due.
  [[nodiscard]] std::optional<messages::Pull> take(const messages::BlobChunk& chunk, std::uint64_t bytes,
                                                   Instant now, std::vector<Effect>& effects);
  // True if `blob` is the one that is being fetched.
  [[nodiscard]] bool fetches(const Digest& blob) const { return task_ && blob == finished_.model; }
  [[nodiscard]] bool is_fetching() const { return task_ != nullptr; }
  void give_up() { task_.reset(); }

 private:
  [[nodiscard]] std::optional<messages::Pull> pull_more();

  SharedTask task_;  // null unless a fetch is in progress
  messages::Finished finished_;
  Digest done_;  // the model that was fetched last
  std::uint64_t bytes_ = 0;
  std::uint64_t received_ = 0;
  std::uint64_t pulled_ = 0;
  std::uint64_t window_max_ = 0;
  round::FlowWindow window_;
};

}  // namespace hansa::client
