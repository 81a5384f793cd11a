#include "protocols/transport/server_channel.h"

#include <algorithm>
#include <array>
#include <atomic>
#include <cassert>
#include <cstring>
#include <fmt/format.h>
#include <mutex>
#include <sys/resource.h>
#include <system_error>
#include <vector>
#include <zmq.hpp>

#include "common/log_budget.h"
#include "protocols/transport/internal/address.h"
#include "protocols/transport/internal/connection_guard.h"
#include "protocols/transport/internal/frames.h"
#include "protocols/transport/internal/monitor.h"
#include "protocols/transport/internal/peer_table.h"
#include "protocols/transport/internal/routing_ids.h"
#include "protocols/transport/internal/wake_descriptor.h"
#include "protocols/transport/internal/zap_handler.h"

namespace hansa::transport {
namespace {

constexpr Duration handshake_max = std::chrono::seconds(10);
constexpr Duration linger = std::chrono::milliseconds(500);  // so that the final messages are sent
constexpr int receive_queue_max = 64;  // messages per peer; credit keeps the queue far shorter
constexpr int backlog = 4096;  // the kernel limits it to net.core.somaxconn
constexpr std::int64_t cipher_bytes = 64;  // CURVE adds at most 33 to a frame
constexpr std::size_t denials_max = 256;  // waiting to be reported
// ZMQ_ZAP_ENFORCE_DOMAIN: libzmq 4.3 implements this option but defines its name only for drafts. With it, no peer is
// admitted without a ZAP handler.
constexpr int zap_enforce_domain = 93;

// Raises the limit of open files to the hard limit. Returns how many connections it allows, at most `wanted`.
std::uint32_t connections_within_open_files(std::uint32_t wanted) {
  rlimit limit{};
  if (::getrlimit(RLIMIT_NOFILE, &limit) != 0) return wanted;
  if (limit.rlim_cur < limit.rlim_max) {
    const rlim_t before = std::exchange(limit.rlim_cur, limit.rlim_max);
    if (::setrlimit(RLIMIT_NOFILE, &limit) != 0) limit.rlim_cur = before;
  }
  if (limit.rlim_cur == RLIM_INFINITY) return wanted;
  // A very low limit is shared evenly.
  const rlim_t spare = std::min<rlim_t>(spare_descriptors, limit.rlim_cur / 2);
  return static_cast<std::uint32_t>(std::min<rlim_t>(wanted, limit.rlim_cur - spare));
}

ConnectionLimits within_open_files(ConnectionLimits limits) {
  limits.connections_max = connections_within_open_files(limits.connections_max);
  return limits;
}

const char* hint_for_bind(int error) {
  switch (error) {
    case EADDRINUSE: return "stop the program that listens there, or choose another port";
    case EADDRNOTAVAIL:
    case ENODEV: return "use an address of this machine, or tcp://*:PORT for all of them";
    case EACCES: return "choose a port above 1023";
    default: return "an address looks like \"tcp://HOST:PORT\"";
  }
}

// Passes refusals from the ZAP thread and the guard's thread to the owner's thread.
class Denials {
 public:
  void add(Error error) {
    const std::lock_guard lock(mutex_);
    if (waiting_.size() < denials_max) waiting_.push_back(std::move(error));
  }
  [[nodiscard]] std::vector<Error> take() {
    const std::lock_guard lock(mutex_);
    return std::exchange(waiting_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<Error> waiting_;
};

class RouterChannel final : public ServerChannel {
 public:
  // Throws zmq::error_t, std::system_error.
  RouterChannel(const ServerChannelConfig& config, const SecretKey& key, Admission& admission)
      : context_(static_cast<int>(config.io_threads)),
        zap_(context_, admission, config.limits.handshakes_per_minute,
             [this](Error error) { deny(std::move(error)); }),
        router_(context_, zmq::socket_type::router) {
    router_.set(zmq::sockopt::curve_server, 1);
    router_.set(zmq::sockopt::curve_secretkey, key.z85());
    router_.set(zmq::sockopt::zap_domain, ZapHandler::domain);
    const int enforce = 1;
    if (::zmq_setsockopt(router_.handle(), zap_enforce_domain, &enforce, sizeof enforce) != 0)
      throw zmq::error_t();
    router_.set(zmq::sockopt::router_mandatory, 1);
    router_.set(zmq::sockopt::maxmsgsize, config.frame_bytes_max + cipher_bytes);
    router_.set(zmq::sockopt::sndhwm, config.send_queue_max);
    router_.set(zmq::sockopt::rcvhwm, receive_queue_max);
    router_.set(zmq::sockopt::handshake_ivl, to_option_milliseconds(handshake_max));
    router_.set(zmq::sockopt::backlog, backlog);
    router_.set(zmq::sockopt::linger, to_option_milliseconds(linger));
    // libzmq's own heartbeat aborts the process when its timer meets a connection that was reset (4.3.4 and 4.3.5:
    // assertion !_io_error in stream_engine_base.cpp), so TCP looks for dead peers. A client's heartbeat still asks
    // for an answer and sets a time to live, after which libzmq closes its connection.
    const int keepalive_seconds = std::max(1, static_cast<int>(config.heartbeat / std::chrono::seconds(1)));
    router_.set(zmq::sockopt::tcp_keepalive, 1);
    router_.set(zmq::sockopt::tcp_keepalive_idle, keepalive_seconds);
    router_.set(zmq::sockopt::tcp_keepalive_intvl, keepalive_seconds);
    router_.set(zmq::sockopt::tcp_keepalive_cnt, 2);
    router_.set(zmq::sockopt::tcp_maxrt, to_option_milliseconds(config.unacknowledged_max));
    if (config.bind.find('[') != std::string::npos || config.bind.find('*') != std::string::npos)
      router_.set(zmq::sockopt::ipv6, 1);
    monitor_.emplace(context_, router_, "connections");
    router_.bind(config.bind);
    endpoint_ = router_.get(zmq::sockopt::last_endpoint);
    guard_.emplace(*monitor_, endpoint_, within_open_files(config.limits),
                   [this](Error error) { deny(std::move(error)); });
  }

  [[nodiscard]] std::string endpoint() const override { return endpoint_; }
  Sent send(PeerId peer, std::span<const std::byte> message, const Bulk& bulk) override;
  void poll(Duration timeout, const Handlers& handlers, int extra_descriptor,
            std::size_t messages_max) override;
  void wake() override { wake_.notify(); }
  void disconnect(PeerId peer) override;
  void disconnect_client(std::string_view client) override { guard_->close_all_of(client); }
  [[nodiscard]] std::size_t connections() const override { return guard_->open(); }
  [[nodiscard]] std::uint64_t bytes_received() const override {
    return bytes_received_.load(std::memory_order_relaxed);
  }
  [[nodiscard]] std::uint64_t bytes_sent() const override {
    return bytes_sent_.load(std::memory_order_relaxed);
  }

 private:
  void wait(Duration timeout, int extra_descriptor);
  void hand_over_refusals(const Handlers& handlers);
  void hand_over_messages(const Handlers& handlers, std::size_t messages_max);
  void hand_over(const Handlers& handlers, std::string_view routing_id);
  void refuse(const Handlers& handlers, const Error& error);
  void deny(Error error) {  // any thread
    denials_.add(std::move(error));
    wake_.notify();
  }

  // Members are destroyed in reverse order, so that the ZAP handler outlives the socket.
  WakeDescriptor wake_;
  Denials denials_;
  zmq::context_t context_;
  ZapHandler zap_;
  zmq::socket_t router_;
  std::optional<Monitor> monitor_;
  std::string endpoint_;
  std::optional<ConnectionGuard> guard_;
  LogBudget refusals_;
  PeerTable peers_;
  zmq::message_t routing_frame_;
  Message message_;
  std::atomic<std::uint64_t> bytes_received_{0};
  std::atomic<std::uint64_t> bytes_sent_{0};
};

Sent RouterChannel::send(PeerId peer, std::span<const std::byte> message, const Bulk& bulk) {
  assert(!message.empty());
  const std::optional<std::string_view> routing_id = peers_.routing_id(peer);
  if (!routing_id) return Sent::peer_gone;
  // A ROUTER decides at the routing id whether it accepts the whole message.
  zmq::message_t frame(routing_id->data(), routing_id->size());
  const int refusal = send_frame(router_, frame, More::follows);
  if (refusal == EAGAIN) return Sent::congested;
  if (refusal != 0) {
    peers_.forget(peer);
    return Sent::peer_gone;
  }
  frame = make_frame(message);
  const bool has_bulk = !bulk.bytes.empty();
  static_cast<void>(send_frame(router_, frame, has_bulk ? More::follows : More::none));
  if (has_bulk) {
    frame = make_frame(bulk);
    static_cast<void>(send_frame(router_, frame, More::none));
  }
  bytes_sent_.fetch_add(message.size() + bulk.bytes.size(), std::memory_order_relaxed);
  return Sent::queued;
}

void RouterChannel::poll(Duration timeout, const Handlers& handlers, int extra_descriptor,
                         std::size_t messages_max) {
  wait(timeout, extra_descriptor);
  hand_over_refusals(handlers);
  hand_over_messages(handlers, messages_max);
}

void RouterChannel::wait(Duration timeout, int extra_descriptor) {
  std::array<zmq_pollitem_t, 3> items{{{router_.handle(), 0, ZMQ_POLLIN, 0},
                                       {nullptr, wake_.get(), ZMQ_POLLIN, 0},
                                       {nullptr, extra_descriptor, ZMQ_POLLIN, 0}}};
  const int count = extra_descriptor < 0 ? 2 : 3;
  // A signal may end the wait early; callers must allow for that in any case.
  ::zmq_poll(items.data(), count, to_milliseconds(timeout));
  if ((items[1].revents & ZMQ_POLLIN) != 0) wake_.clear();
}

void RouterChannel::refuse(const Handlers& handlers, const Error& error) {
  if (handlers.on_refused && refusals_.allows(error.location, error.what, steady_now()))
    handlers.on_refused(error);
}

void RouterChannel::hand_over_refusals(const Handlers& handlers) {
  for (const auto& omitted : refusals_.take_omitted(steady_now()))
    if (handlers.on_refused)
      handlers.on_refused(Error{ErrorCode::refused, omitted.subject, omitted.text(), ""});
  for (const Error& error : denials_.take()) refuse(handlers, error);
}

void RouterChannel::hand_over_messages(const Handlers& handlers, std::size_t messages_max) {
  for (std::size_t i = 0; i < messages_max && receive_frame(router_, routing_frame_); ++i) {
    receive_rest(router_, message_);
    hand_over(handlers, routing_frame_.to_string_view());
  }
}

void RouterChannel::hand_over(const Handlers& handlers, std::string_view routing_id) {
  const char* const user = ::zmq_msg_gets(message_.first.handle(), "User-Id");
  assert(user != nullptr);  // ZAP is enforced, so that every peer has a name
  if (user == nullptr) return;
  const std::string_view client = user;
  // The descriptor of the connection, which may have been closed since. The number stays what it is even if libzmq
  // removes the option, which it calls deprecated: then it is -1, and no connection has it.
  const int descriptor = ::zmq_msg_get(message_.first.handle(), ZMQ_SRCFD);
  const auto refuse_and_close = [&](std::string what, std::string hint) {
    guard_->close(descriptor, routing_id);
    refuse(handlers,
           {ErrorCode::protocol, fmt::format("client {}", client), std::move(what), std::move(hint)});
  };
  if (!message_.well_formed())
    return refuse_and_close(
        message_.frames > 2
            ? fmt::format("sent a message of {} frames where 1 or 2 are allowed", message_.frames)
            : std::string("sent an empty message"),
        "update the client");
  if (!PeerTable::made_by_router(routing_id))
    return refuse_and_close("set its own routing id", "connect with hansa-client");
  std::uint64_t on_wire = frame_bytes_on_wire(message_.first.size());
  if (message_.frames == 2) on_wire += frame_bytes_on_wire(message_.second.size());
  guard_->on_delivered({descriptor, routing_id, client, on_wire});
  const Incoming incoming{peers_.learn(routing_id, client, descriptor), client, bytes_of(message_.first),
                          bytes_of(message_.second)};
  bytes_received_.fetch_add(incoming.message.size() + incoming.bulk.size(), std::memory_order_relaxed);
  if (handlers.on_message) handlers.on_message(incoming);
}

void RouterChannel::disconnect(PeerId peer) {
  const std::optional<std::string_view> routing_id = peers_.routing_id(peer);
  if (!routing_id) return;
  guard_->close(peers_.descriptor(peer), *routing_id);
  peers_.forget(peer);
}

}  // namespace

Result<std::unique_ptr<ServerChannel>> ServerChannel::open(const ServerChannelConfig& config,
                                                           const SecretKey& key, Admission& admission) {
  HANSA_TRY_VOID(check_bind_address(config.bind));
  HANSA_TRY_VOID(check_local_host(config.bind));
  HANSA_TRY_VOID(make_routing_ids_unpredictable());
  try {
    return std::make_unique<RouterChannel>(config, key, admission);
  } catch (const zmq::error_t& error) {
    return fail(ErrorCode::network, config.bind, fmt::format("cannot be listened on ({})", error.what()),
                hint_for_bind(error.num()));
  } catch (const std::system_error& error) {
    return fail(ErrorCode::resource, config.bind,
                fmt::format("no thread or descriptor is left ({})", error.what()),
                "raise the limits of open files and threads (ulimit -n, ulimit -u)");
  }
}

}  // namespace hansa::transport
