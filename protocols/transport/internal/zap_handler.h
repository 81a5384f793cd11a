// Answers libzmq's authentication requests (ZAP, rfc.zeromq.org/spec/27) by asking an Admission.
#pragma once
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include "common/error.h"
#include "protocols/transport/internal/wake_descriptor.h"
#include "protocols/transport/server_channel.h"

namespace hansa::transport {

// Must exist from before the context's first server socket is bound until the last one is closed, because libzmq sends
// it a request for every connection. Its own thread calls `admission` and `on_denied`.
class ZapHandler {
 public:
  static constexpr const char* domain = "hansa";

  // Throws zmq::error_t, std::system_error.
  ZapHandler(zmq::context_t& context, Admission& admission, std::function<void(Error)> on_denied);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

 private:
  void serve();
  // The name under which the key in the request is admitted; empty: refused.
  [[nodiscard]] std::string answer(const std::vector<std::string>& request);
  void reply(const std::string& request_id, const std::string& client);

  zmq::socket_t requests_;
  Admission& admission_;
  std::function<void(Error)> on_denied_;
  WakeDescriptor stop_;
  std::thread thread_;
};

}  // namespace hansa::transport
