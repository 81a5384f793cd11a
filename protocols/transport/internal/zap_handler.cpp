#include "protocols/transport/internal/zap_handler.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cstdint>
#include <fmt/format.h>

#include "protocols/transport/internal/frames.h"

namespace hansa::transport {
namespace {

// The positions of the frames in a request.
constexpr std::size_t version_at = 0, request_id_at = 1, domain_at = 2, address_at = 3, mechanism_at = 5,
                      key_at = 6;
constexpr std::size_t request_frames = 7;
constexpr std::size_t raw_key_bytes = 32;

std::string without_ipv4_prefix(const std::string& address) {
  constexpr std::string_view mapped = "::ffff:";
  return address.starts_with(mapped) ? address.substr(mapped.size()) : address;
}

}  // namespace

ZapHandler::ZapHandler(zmq::context_t& context, Admission& admission, std::uint32_t handshakes_per_minute,
                       std::function<void(Error)> on_denied)
    : requests_(context, zmq::socket_type::rep),
      admission_(admission),
      by_address_(dynamic_cast<AddressAdmission*>(&admission)),
      handshakes_({static_cast<double>(handshakes_per_minute), handshakes_per_minute / 60.0}),
      on_denied_(std::move(on_denied)) {
  requests_.set(zmq::sockopt::linger, 0);
  requests_.bind("inproc://zeromq.zap.01");
  thread_ = std::thread([this] { serve(); });
}

ZapHandler::~ZapHandler() {
  stop_.notify();
  thread_.join();
}

void ZapHandler::serve() {
  std::array<zmq_pollitem_t, 2> items{
      {{requests_.handle(), 0, ZMQ_POLLIN, 0}, {nullptr, stop_.get(), ZMQ_POLLIN, 0}}};
  for (;;) {
    ::zmq_poll(items.data(), static_cast<int>(items.size()), -1);
    if ((items[1].revents & ZMQ_POLLIN) != 0) return;
    zmq::message_t frame;
    while (receive_frame(requests_, frame)) {
      std::vector<std::string> request{frame.to_string()};
      while (frame.more() && receive_frame(requests_, frame)) request.push_back(frame.to_string());
      reply(request.size() > request_id_at ? request[request_id_at] : std::string(), answer(request));
    }
  }
}

ZapHandler::Answer ZapHandler::answer(const std::vector<std::string>& request) {
  // Requests come from libzmq, not from the peer. A different form means an unknown version of libzmq.
  if (request.size() != request_frames || request[version_at] != "1.0" || request[domain_at] != domain ||
      request[mechanism_at] != "CURVE" || request[key_at].size() != raw_key_bytes)
    return {};
  std::array<char, 41> text{};
  std::array<std::uint8_t, raw_key_bytes> raw{};
  std::copy_n(request[key_at].begin(), raw.size(), raw.begin());
  ::zmq_z85_encode(text.data(), raw.data(), raw.size());
  PublicKey key;
  std::copy_n(text.begin(), key.z85.size(), key.z85.begin());

  const std::string address = without_ipv4_prefix(request[address_at]);
  const std::optional<std::string> client =
      by_address_ != nullptr ? by_address_->admit_from(key, address) : admission_.admit(key);
  if (client && !client->empty()) {
    if (handshakes_.take(*client, steady_now())) return {"200", "OK", *client};
    on_denied_(Error{ErrorCode::refused, fmt::format("client {}", *client),
                     fmt::format("connects more than {} times a minute", handshakes_.limit().capacity),
                     "give each device a key of its own"});
    return {"500", "too many handshakes", {}};
  }
  on_denied_(Error{
      ErrorCode::refused, address, fmt::format("the key {} is not admitted", key.text()),
      "if the device is yours, admit it: copy its public key to the admitted clients folder as NAME.pub"});
  return {};
}

void ZapHandler::reply(const std::string& request_id, const Answer& answer) {
  // Version, request id, status code, reason, User-Id, metadata (none).
  const std::array<std::string_view, 6> parts{"1.0",       request_id,    answer.status,
                                              answer.text, answer.client, ""};
  for (std::size_t i = 0; i < parts.size(); ++i) {
    zmq::message_t frame(parts[i].data(), parts[i].size());
    // If the connection has ended meanwhile, libzmq drops the answer.
    if (send_frame(requests_, frame, i + 1 < parts.size() ? More::follows : More::none) != 0) return;
  }
}

}  // namespace hansa::transport
