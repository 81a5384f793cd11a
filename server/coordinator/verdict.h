// What becomes of an event or a message.
#pragma once
#include <cstdint>

namespace hansa::server {

enum class Verdict : std::uint8_t {
  accepted,  // the state changed, or the protocol's answer is sent
  rejected,  // refused; the sender and the log get the reason
  discarded,  // stale or repeated; changes nothing
};

}  // namespace hansa::server
