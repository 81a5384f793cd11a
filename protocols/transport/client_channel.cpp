#include "protocols/transport/client_channel.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <deque>
#include <fmt/format.h>
#include <system_error>
#include <zmq.hpp>

#include "protocols/transport/internal/address.h"
#include "protocols/transport/internal/client_link.h"
#include "protocols/transport/internal/frames.h"
#include "protocols/transport/internal/proxy_tunnel.h"
#include "protocols/transport/internal/monitor.h"
#include "protocols/transport/internal/wake_descriptor.h"

namespace hansa::transport {
namespace {

constexpr int queue_max = 64;  // messages in each direction; credit keeps the queues far shorter
constexpr Duration linger = std::chrono::milliseconds(200);  // so that a final Bye is sent
constexpr std::int64_t cipher_bytes = 64;  // CURVE adds at most 33 to a frame
// The owner opens a new channel, so libzmq must never reconnect by itself. Reconnection is not disabled (-1), because
// otherwise libzmq does not report a host name that cannot be resolved.
constexpr int reconnect_never_milliseconds = 500'000'000;

// One DEALER socket, its monitor, and the state of its connection.
class Attempt {
 public:
  // Throws zmq::error_t.
  Attempt(zmq::context_t& context, const ClientChannelConfig& config, const SecretKey& key,
          const PublicKey& own, IpVersion version)
      : dealer_(context, zmq::socket_type::dealer),
        monitor_(context, dealer_, version == IpVersion::v4 ? "link-v4" : "link-v6"),
        link_({config.address, config.aggregator.text(), own.text()}, steady_now() + config.connect_max) {
    dealer_.set(zmq::sockopt::curve_serverkey, config.aggregator.text());
    dealer_.set(zmq::sockopt::curve_publickey, own.text());
    dealer_.set(zmq::sockopt::curve_secretkey, key.z85());
    dealer_.set(zmq::sockopt::ipv6, version == IpVersion::v6 ? 1 : 0);
    // ZMQ_IMMEDIATE is not set: with it libzmq discards received but unread messages when a connection ends. Without
    // it, send() must refuse messages while there is no connection, so that nothing is queued for a later session.
    dealer_.set(zmq::sockopt::reconnect_ivl, reconnect_never_milliseconds);
    dealer_.set(zmq::sockopt::connect_timeout, to_option_milliseconds(config.connect_max));
    dealer_.set(zmq::sockopt::handshake_ivl, to_option_milliseconds(config.connect_max));
    dealer_.set(zmq::sockopt::maxmsgsize, config.frame_bytes_max + cipher_bytes);
    dealer_.set(zmq::sockopt::sndhwm, queue_max);
    dealer_.set(zmq::sockopt::rcvhwm, queue_max);
    dealer_.set(zmq::sockopt::linger, to_option_milliseconds(linger));
    set_heartbeat(dealer_, config.heartbeat);
  }
  void connect(const std::string& address) { dealer_.connect(address); }  // throws zmq::error_t

  [[nodiscard]] zmq::socket_t& dealer() { return dealer_; }
  [[nodiscard]] Monitor& monitor() { return monitor_; }
  [[nodiscard]] ClientLink& link() { return link_; }

 private:
  zmq::socket_t dealer_;
  Monitor monitor_;
  ClientLink link_;
};

class DealerChannel final : public ClientChannel {
 public:
  // Throws zmq::error_t, std::system_error.
  DealerChannel(const ClientChannelConfig& config, const SecretKey& key, const PublicKey& own,
                std::span<const IpVersion> versions, std::unique_ptr<ProxyTunnel> tunnel)
      : tunnel_(std::move(tunnel)),
        address_(tunnel_ ? tunnel_->local_address() : config.address),
        context_(static_cast<int>(config.io_threads)) {
    for (const IpVersion version : versions) attempts_.emplace_back(context_, config, key, own, version);
    attempts_.front().connect(address_);
  }

  bool send(std::span<const std::byte> message, const Bulk& bulk) override;
  void poll(Duration timeout, const Handlers& handlers, std::size_t messages_max) override;
  void wake() override { wake_.notify(); }

 private:
  void wait(Duration timeout);
  [[nodiscard]] std::optional<LinkEvent> next_link_event();
  [[nodiscard]] bool try_next_version();
  // Returns false if more messages may be waiting.
  [[nodiscard]] bool hand_over_messages(const Handlers& handlers, std::size_t messages_max);

  std::unique_ptr<ProxyTunnel> tunnel_;  // null without a proxy
  std::string address_;  // what the socket connects to
  WakeDescriptor wake_;
  zmq::context_t context_;
  std::deque<Attempt> attempts_;  // the first is the current one
  std::optional<LinkEvent> first_failure_;  // unreachable in the IP version that was tried first
  std::optional<LinkEvent> final_event_;  // disconnected: reported after the messages that arrived before it
  Message message_;
  bool was_connected_ = false;
};

bool DealerChannel::send(std::span<const std::byte> message, const Bulk& bulk) {
  assert(!message.empty());
  if (attempts_.front().link().state() != ClientLink::State::connected) return false;
  zmq::socket_t& dealer = attempts_.front().dealer();
  const bool has_bulk = !bulk.bytes.empty();
  // A DEALER decides at the first frame whether the whole message is taken.
  zmq::message_t frame = make_frame(message);
  if (send_frame(dealer, frame, has_bulk ? More::follows : More::none) != 0) return false;
  if (has_bulk) {
    frame = make_frame(bulk);
    static_cast<void>(send_frame(dealer, frame, More::none));
  }
  return true;
}

void DealerChannel::poll(Duration timeout, const Handlers& handlers, std::size_t messages_max) {
  if (!final_event_) wait(timeout);
  while (!final_event_) {
    const std::optional<LinkEvent> event = next_link_event();
    if (!event) break;
    if (event->kind == LinkEvent::Kind::disconnected) {
      final_event_ = event;
      attempts_.front().dealer().set(zmq::sockopt::linger, 0);  // there is no peer to send to
    } else {
      was_connected_ = event->kind == LinkEvent::Kind::connected;
      if (handlers.on_link) handlers.on_link(*event);
    }
  }
  if (was_connected_ && hand_over_messages(handlers, messages_max) && final_event_) {
    was_connected_ = false;
    if (handlers.on_link) handlers.on_link(*std::exchange(final_event_, std::nullopt));
  }
}

void DealerChannel::wait(Duration timeout) {
  Attempt& attempt = attempts_.front();
  const ClientLink::State state = attempt.link().state();
  if (state == ClientLink::State::connecting || state == ClientLink::State::handshaking)
    timeout = std::min(timeout, attempt.link().deadline() - steady_now());
  std::array<zmq_pollitem_t, 3> items{{{nullptr, wake_.get(), ZMQ_POLLIN, 0},
                                       {attempt.monitor().socket().handle(), 0, ZMQ_POLLIN, 0},
                                       {attempt.dealer().handle(), 0, ZMQ_POLLIN, 0}}};
  // Messages are read only between the connected event and the end of the connection.
  const int count = state == ClientLink::State::connected ? 3 : 2;
  ::zmq_poll(items.data(), count, to_milliseconds(timeout));
  if ((items[0].revents & ZMQ_POLLIN) != 0) wake_.clear();
}

std::optional<LinkEvent> DealerChannel::next_link_event() {
  for (;;) {
    ClientLink& link = attempts_.front().link();
    SocketEvent event;
    std::optional<LinkEvent> out;
    if (attempts_.front().monitor().next(event)) {
      out = link.take(event);
      if (!out) continue;
    } else {
      out = link.tick(steady_now());
    }
    if (out && tunnel_ && out->kind != LinkEvent::Kind::connected) {
      // If the proxy is the cause, its error is more precise than libzmq's.
      if (const std::string failure = tunnel_->failure(); !failure.empty()) {
        out->kind = LinkEvent::Kind::unreachable;
        out->error = {ErrorCode::network, out->error.location, failure,
                      "check aggregator.proxy, and that the proxy allows this connection"};
      }
    }
    if (!out || out->kind != LinkEvent::Kind::unreachable) return out;
    // A host that has addresses of one version only is known.
    if (first_failure_ && attempts_.front().link().host_is_unknown()) return first_failure_;
    if (!attempts_.front().link().host_is_unknown()) first_failure_ = out;
    if (!try_next_version()) return out;
  }
}

// A name may have addresses of both versions, and the aggregator may listen on one of them only.
bool DealerChannel::try_next_version() {
  if (attempts_.size() < 2) return false;
  attempts_.pop_front();
  try {
    attempts_.front().connect(address_);
    return true;
  } catch (const zmq::error_t&) {
    return false;
  }
}

bool DealerChannel::hand_over_messages(const Handlers& handlers, std::size_t messages_max) {
  for (std::size_t i = 0; i < messages_max; ++i) {
    if (!receive_message(attempts_.front().dealer(), message_)) return true;
    // The aggregator is authenticated. A message of another shape comes from a later version and is ignored.
    if (message_.well_formed() && handlers.on_message)
      handlers.on_message(bytes_of(message_.first), bytes_of(message_.second));
  }
  return false;
}

}  // namespace

Result<std::unique_ptr<ClientChannel>> ClientChannel::open(const ClientChannelConfig& config,
                                                           const SecretKey& key) {
  HANSA_TRY(std::vector<IpVersion> versions, check_address(config.address));
  std::unique_ptr<ProxyTunnel> tunnel;
  if (!config.proxy.empty()) {
    HANSA_TRY_VOID(check_proxy(config.proxy));
    const ProxyKind kind = config.proxy.starts_with("http://") ? ProxyKind::http : ProxyKind::socks5;
    HANSA_TRY(tunnel, ProxyTunnel::open(kind, host_and_port(config.proxy), host_and_port(config.address)));
    versions = {IpVersion::v4};  // the tunnel listens on 127.0.0.1
  }
  HANSA_TRY(const PublicKey own, key.public_key());
  try {
    return std::make_unique<DealerChannel>(config, key, own, versions, std::move(tunnel));
  } catch (const zmq::error_t& error) {
    return fail(ErrorCode::network, config.address, fmt::format("cannot be connected to ({})", error.what()),
                "raise the limit of open files (ulimit -n), or check the aggregator's key");
  } catch (const std::system_error& error) {
    return fail(ErrorCode::resource, config.address, fmt::format("no descriptor is left ({})", error.what()),
                "raise the limit of open files (ulimit -n)");
  }
}

}  // namespace hansa::transport
