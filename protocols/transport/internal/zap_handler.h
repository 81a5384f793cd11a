// Answers libzmq's question "may this key connect?" (ZAP, rfc.zeromq.org/spec/27) by an Admission.
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

// Exists before the context's first server socket binds and until the last is closed: libzmq asks
// it about every connection. One thread of its own calls `admission` and `on_denied`.
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
  // The name under which the asking key is admitted; empty: refused.
  [[nodiscard]] std::string answer(const std::vector<std::string>& request);
  void reply(const std::string& request_id, const std::string& client);

  zmq::socket_t questions_;
  Admission& admission_;
  std::function<void(Error)> on_denied_;
  WakeDescriptor stop_;
  std::thread thread_;
};

}  // namespace hansa::transport
