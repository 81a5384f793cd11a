// Answers libzmq's authentication requests (ZAP, rfc.zeromq.org/spec/27) by asking an Admission.
#pragma once
#include <cstdint>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include <zmq.hpp>

#include "common/error.h"
#include "common/bucket_table.h"
#include "protocols/transport/internal/wake_descriptor.h"
#include "protocols/transport/address_admission.h"
#include "protocols/transport/server_channel.h"

namespace hansa::transport {

// Must exist from before the context's first server socket is bound until the last one is closed, because libzmq sends
// it a request for every connection. Its own thread calls `admission` and `on_denied`.
class ZapHandler {
 public:
  static constexpr const char* domain = "hansa";

  // handshakes_per_minute: of one client; more are refused. Throws zmq::error_t, std::system_error.
  ZapHandler(zmq::context_t& context, Admission& admission, std::uint32_t handshakes_per_minute,
             std::function<void(Error)> on_denied);
  ~ZapHandler();
  ZapHandler(const ZapHandler&) = delete;
  ZapHandler& operator=(const ZapHandler&) = delete;

 private:
  void serve();
  struct Answer {
    const char* status = "400";  // 200: admitted, 400: the key is not admitted, 500: too many handshakes
    const char* text = "not admitted";
    std::string client;  // the name under which the key is admitted
  };
  [[nodiscard]] Answer answer(const std::vector<std::string>& request);
  void reply(const std::string& request_id, const Answer& answer);

  zmq::socket_t requests_;
  Admission& admission_;
  AddressAdmission* by_address_;  // the same object, if it decides by the address; or null
  BucketTable handshakes_;  // by client
  std::function<void(Error)> on_denied_;
  WakeDescriptor stop_;
  std::thread thread_;
};

}  // namespace hansa::transport
