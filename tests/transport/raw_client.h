// A client without Hansa's code: a DEALER that sends any frames.
#pragma once
#include <string>
#include <vector>

#include <zmq.hpp>

#include "protocols/transport/keys.h"

namespace hansa::transport::testing {

class RawClient {
 public:
  enum class Cipher { curve, none };
  RawClient(const std::string& address, const PublicKey& aggregator, const SecretKey& key, Cipher cipher,
            const std::string& routing_id = {})
      : socket_(context_, zmq::socket_type::dealer) {
    if (cipher == Cipher::curve) {
      socket_.set(zmq::sockopt::curve_serverkey, aggregator.text());
      socket_.set(zmq::sockopt::curve_publickey, key.public_key().value().text());
      socket_.set(zmq::sockopt::curve_secretkey, key.z85());
    }
    if (!routing_id.empty()) socket_.set(zmq::sockopt::routing_id, routing_id);
    socket_.set(zmq::sockopt::linger, 0);
    socket_.connect(address);
  }
  void send(const std::vector<std::string>& frames) {
    for (std::size_t i = 0; i < frames.size(); ++i)
      socket_.send(zmq::buffer(frames[i]),
                   i + 1 < frames.size() ? zmq::send_flags::sndmore : zmq::send_flags::none);
  }
  [[nodiscard]] bool got_anything() {
    zmq::message_t frame;
    return socket_.recv(frame, zmq::recv_flags::dontwait).has_value();
  }

 private:
  zmq::context_t context_;
  zmq::socket_t socket_;
};

}  // namespace hansa::transport::testing
