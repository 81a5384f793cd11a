// Collects what is seen of devices, for the register: who speaks, with which program and how much data, and whose updates
// counted. No I/O; one thread.
#pragma once
#include <map>
#include <span>
#include <string>
#include <string_view>

#include "common/utc.h"
#include "server/register/devices.h"
#include "server/store/store.h"

namespace hansa::server::internal {

class DeviceActivityLog {
 public:
  using Seen = std::map<std::string, DeviceActivity>;

  void on_message(std::string_view client, std::span<const std::byte> message, UtcSeconds now);
  void on_committed(const RoundRecord& record);

  // What each client that has connected last reported that it has.
  [[nodiscard]] std::map<std::string, std::uint64_t> examples() const;
  // What was seen since the last call.
  [[nodiscard]] Seen take();

 private:
  // What a device last said about itself: it is part of every entry, because the register replaces it.
  struct Said {
    std::string software;
    std::uint64_t examples = 0;
  };
  std::map<std::string, Said, std::less<>> said_;
  Seen seen_;
};

}  // namespace hansa::server::internal
