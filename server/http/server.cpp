#include "server/http/server.h"

#include <chrono>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>

#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "protocols/transport/address_network.h"
#include "server/http/internal/connect.h"
#include "server/http/internal/hub.h"
#include "server/http/internal/tls_context.h"
#include "server/http/listen_address.h"

namespace hansa::http {
namespace {

namespace asio = boost::asio;
using asio::ip::tcp;
using AsioError = boost::system::error_code;

constexpr std::size_t publications_max = 1'024;
// Of the kernel, for each connection: by itself it would take megabytes for a slow reader.
constexpr int kernel_buffer_bytes = 128 << 10;

class AsioServer final : public Server {
 public:
  AsioServer(ServerConfig config, Handler& handler)
      : hub_(std::move(config), handler),
        io_(std::make_unique<asio::io_context>(1)),
        acceptor_(std::make_unique<tcp::acceptor>(*io_)),
        retry_(std::make_unique<asio::steady_timer>(*io_)),
        publishing_(std::make_unique<asio::steady_timer>(*io_)),
        comments_(std::make_unique<asio::steady_timer>(*io_)) {}

  ~AsioServer() override {
    io_->stop();
    if (thread_.joinable()) thread_.join();
    hub_.end_worker();
    // What waits on them goes with the io_context, and leaves the hub.
    comments_.reset();
    publishing_.reset();
    retry_.reset();
    acceptor_.reset();
    io_.reset();
  }

  Result<void> listen() {
    const auto& config = hub_.config();
    HANSA_TRY(const auto address, parse_listen_address(config.listen, "dashboard.listen"));
    if (config.tls) {
      HANSA_TRY(tls_, internal::TlsContext::open(*config.tls));
    }
    AsioError error;
    const tcp::endpoint endpoint(asio::ip::make_address(address.address, error), address.port);
    if (!error) acceptor_->open(endpoint.protocol(), error);
    if (!error) acceptor_->set_option(tcp::acceptor::reuse_address(true), error);
    if (!error) acceptor_->bind(endpoint, error);
    if (!error) acceptor_->listen(asio::socket_base::max_listen_connections, error);
    if (error)
      return fail(ErrorCode::network, config.listen, "cannot be bound (" + error.message() + ")",
                  "set [dashboard] listen to another address, or the port 0 for a free one");
    ListenAddress real = address;
    real.port = acceptor_->local_endpoint(error).port();
    address_ = real.text();
    return {};
  }

  void start() {
    accept();
    wait_for_comment();
    thread_ = std::thread([this] { io_->run(); });
  }

  void publish(std::string_view event, std::function<std::string()> json) override {
    const std::lock_guard lock(mutex_);
    if (publications_.size() >= publications_max) return;
    publications_.emplace_back(event, std::move(json));
    if (publications_.size() == 1) asio::post(*io_, [this] { send_publications_when_due(); });
  }

  std::string address() const override { return address_; }
  ServerCounts counts() const override { return hub_.counts(); }

 private:
  using Publications = std::vector<std::pair<std::string, std::function<std::string()>>>;

  void send_publications_when_due() {
    publishing_->expires_at(next_publications_);
    publishing_->async_wait([this](AsioError error) {
      if (!error) send_publications();
    });
  }

  void send_publications() {
    next_publications_ = std::chrono::steady_clock::now() + hub_.limits().event_interval;
    Publications all;
    {
      const std::lock_guard lock(mutex_);
      all.swap(publications_);
    }
    for (const auto& [event, json] : all) hub_.send(event, json());
  }

  void wait_for_comment() {
    comments_->expires_after(hub_.limits().comment_interval);
    comments_->async_wait([this](AsioError error) {
      if (error) return;
      hub_.send_comment();
      wait_for_comment();
    });
  }

  void accept() {
    acceptor_->async_accept([this](AsioError error, tcp::socket socket) {
      if (error == asio::error::operation_aborted) return;
      if (error) return accept_later();
      take(std::move(socket));
      accept();
    });
  }

  // Without free descriptors an accept fails at once, again and again.
  void accept_later() {
    retry_->expires_after(std::chrono::milliseconds(100));
    retry_->async_wait([this](AsioError error) {
      if (!error) accept();
    });
  }

  void take(tcp::socket&& socket) {
    AsioError error;
    const auto peer = socket.remote_endpoint(error);
    if (error) return;
    std::string address = peer.address().to_string(error);
    if (!is_loopback_address(address)) address = transport::network_of(address);
    if (!hub_.has_room_for(address)) {
      hub_.log("the dashboard has too many connections, and closed one from " + address, steady_now());
      return;
    }
    socket.set_option(tcp::no_delay(true), error);
    socket.set_option(asio::socket_base::send_buffer_size(kernel_buffer_bytes), error);
    if (tls_) {
      const auto log = [this](const std::string& line) { hub_.log(line, steady_now()); };
      return internal::serve_tls(std::move(socket), tls_->current(log), std::move(address), hub_);
    }
    internal::serve_plain(std::move(socket), std::move(address), hub_);
  }

  internal::Hub hub_;
  std::optional<internal::TlsContext> tls_;
  std::unique_ptr<asio::io_context> io_;
  std::unique_ptr<tcp::acceptor> acceptor_;
  std::unique_ptr<asio::steady_timer> retry_, publishing_, comments_;
  std::chrono::steady_clock::time_point next_publications_;
  std::string address_;
  std::mutex mutex_;
  Publications publications_;
  std::thread thread_;
};

}  // namespace

Result<std::unique_ptr<Server>> Server::open(ServerConfig config, Handler& handler) {
  auto out = std::make_unique<AsioServer>(std::move(config), handler);
  HANSA_TRY_VOID(out->listen());
  out->start();
  return out;
}

}  // namespace hansa::http
