// The port on which devices enrol: a thread with a CURVE socket of its own, on which every key may connect and only join
// messages are spoken. It shares nothing with the socket for clients but the process.
#pragma once
#include <functional>
#include <memory>
#include <string>

#include "common/error.h"
#include "protocols/transport/keys.h"
#include "protocols/transport/server_channel.h"
#include "server/enrolment/enrolment_desk.h"

namespace hansa::server {

// The sizes are those of the two messages: a device sends one of them, and reads one.
[[nodiscard]] transport::ServerChannelConfig enrolment_channel_config(const std::string& bind);

class EnrolmentServer {
 public:
  // on_problem is called on the server's thread, with what the transport refused; it is rate-limited. Fails (network) if
  // the address cannot be bound.
  [[nodiscard]] static Result<std::unique_ptr<EnrolmentServer>> start(
      const std::string& bind, const transport::SecretKey& key, std::unique_ptr<EnrolmentDesk> desk,
      std::function<void(const Error&)> on_problem);
  virtual ~EnrolmentServer() = default;
  [[nodiscard]] virtual std::string endpoint() const = 0;  // with the actual port
};

}  // namespace hansa::server
