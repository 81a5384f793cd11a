// Tells the service manager that started this process (systemd with Type=notify) how it is: that it serves, what it does
// in words, and that it is not stuck.
//
// Sources: sd_notify(3), of which the datagram is the documented protocol, and sd_watchdog_enabled(3). Without a service
// manager every call does nothing. One thread owns it: the one whose hanging must be noticed.
#pragma once
#include <string>
#include <string_view>

#include "common/descriptor.h"
#include "common/time.h"

namespace hansa {

class ServiceManager {
 public:
  // No service manager: for tests, and for programs that embed Hansa and report for themselves.
  ServiceManager() = default;
  // Reads NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID, and removes them from the environment. Call it before threads
  // start. A socket that cannot be used is as none: the service manager then ends the service at its start limit.
  [[nodiscard]] static ServiceManager from_environment();

  [[nodiscard]] bool is_present() const { return static_cast<bool>(socket_); }
  // The service works now: systemd continues with what waits for it, and starts the watchdog.
  void ready();
  // One line for `systemctl status`; sent if it differs from the last one.
  void status(std::string_view text);
  // Call it at least every second: is sent four times in the time after which the watchdog ends the process.
  void alive(Instant now);

 private:
  void send(const std::string& message);

  Descriptor socket_;  // a connected datagram socket
  Duration interval_{};  // between two signs of life; 0: no watchdog
  Instant next_{};
  std::string status_;
};

}  // namespace hansa
