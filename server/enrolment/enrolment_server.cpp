#include "server/enrolment/enrolment_server.h"

#include <algorithm>
#include <atomic>
#include <deque>
#include <thread>

#include "protocols/enrolment/join_messages.h"
#include "protocols/transport/address_admission.h"
#include "protocols/transport/address_network.h"

namespace hansa::server {
namespace {

// An answer has left the machine by then; the device opens another connection to ask again.
constexpr Duration connection_after_answer = std::chrono::seconds(2);
// A connection asks one question, so that this limits the questions of an address too. Devices behind one address that
// wait for the operator ask every ten seconds.
constexpr RateLimit handshakes_of_network{60, 4};
constexpr std::string_view separator = " ";  // in no address and in no Z85

// Admits every key, under a name that has what the desk must know: "ADDRESS KEY". Bounds the handshakes of an address.
class OpenAdmission final : public transport::AddressAdmission {
 public:
  std::optional<std::string> admit_from(const transport::PublicKey& key, std::string_view address) override {
    const std::string from(address);
    if (!handshakes_.take(transport::network_of(from), steady_now())) return std::nullopt;
    return from + std::string(separator) + key.text();
  }

 private:
  BucketTable handshakes_{handshakes_of_network};
};

class Server final : public EnrolmentServer {
 public:
  Server(std::unique_ptr<EnrolmentDesk> desk, std::function<void(const Error&)> on_problem)
      : desk_(std::move(desk)), on_problem_(std::move(on_problem)) {}
  ~Server() override {
    stop_ = true;
    if (channel_) channel_->wake();
    if (thread_.joinable()) thread_.join();
  }
  Server(const Server&) = delete;
  Server& operator=(const Server&) = delete;

  Result<void> open(const std::string& bind, const transport::SecretKey& key) {
    HANSA_TRY(channel_, transport::ServerChannel::open(enrolment_channel_config(bind), key, admission_));
    thread_ = std::thread([this] { serve(); });
    return {};
  }
  [[nodiscard]] std::string endpoint() const override { return channel_->endpoint(); }

 private:
  struct Answered {
    std::string client;
    PeerId peer;
    Instant until;
  };

  void serve() {
    transport::ServerChannel::Handlers handlers;
    handlers.on_message = [this](const transport::Incoming& in) { on_message(in); };
    handlers.on_refused = on_problem_;
    while (!stop_) {
      channel_->poll(answered_.empty() ? std::chrono::milliseconds(500) : std::chrono::milliseconds(100),
                     handlers, -1, 64);
      while (!answered_.empty() && answered_.front().until <= steady_now()) {
        channel_->disconnect(answered_.front().peer);
        answered_.pop_front();
      }
    }
  }

  void on_message(const transport::Incoming& in) {
    // By its key, because a connection that is closed may have more messages on their way.
    if (std::ranges::find(answered_, in.client, &Answered::client) != answered_.end())
      return channel_->disconnect(in.peer);
    const std::size_t at = in.client.rfind(separator);
    const auto key = at == std::string_view::npos
                         ? Result<transport::PublicKey>(fail(ErrorCode::protocol, "", ""))
                         : transport::parse_public_key(in.client.substr(at + 1), "");
    std::optional<enrolment::JoinAnswer> answer;
    if (key && in.bulk.empty()) {
      const EnrolmentDesk::Visitor visitor{*key, std::string(in.client.substr(0, at))};
      answer = enrolment::is_rotation_request(in.message)
                   ? answer_to(enrolment::decode_rotation_request(in.message), visitor)
                   : answer_to(enrolment::decode_join_request(in.message), visitor);
    }
    if (!answer) return channel_->disconnect(in.peer);
    static_cast<void>(channel_->send(in.peer, enrolment::encode(*answer), {}));
    answered_.push_back({std::string(in.client), in.peer, steady_now() + connection_after_answer});
  }

  // Empty for what is no request, except for one of a later version: its device can report what to update.
  template <class Request>
  std::optional<enrolment::JoinAnswer> answer_to(const Result<Request>& request,
                                                 const EnrolmentDesk::Visitor& visitor) {
    if (request) return desk_->answer(*request, visitor, utc_seconds_now(), steady_now());
    if (request.error().code != ErrorCode::refused) return std::nullopt;
    enrolment::JoinAnswer out;
    out.text = request.error().what;
    return out;
  }

  std::unique_ptr<EnrolmentDesk> desk_;
  std::function<void(const Error&)> on_problem_;
  OpenAdmission admission_;
  std::unique_ptr<transport::ServerChannel> channel_;
  std::deque<Answered> answered_;  // as many as there are connections
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

}  // namespace

transport::ServerChannelConfig enrolment_channel_config(const std::string& bind) {
  transport::ServerChannelConfig out;
  out.bind = bind;
  out.io_threads = 1;
  // The limit holds for the frames of CURVE's handshake too, which are larger than a request.
  out.frame_bytes_max = 1'024;
  out.send_queue_max = 2;
  out.limits.connections_max = 256;
  out.limits.handshakes_max = 192;
  out.limits.per_client_max = 1;
  out.limits.handshakes_per_minute = 60;
  out.limits.undelivered_bytes_max = 16 << 10;
  out.limits.undelivered_bytes_before_first_message = 16 << 10;
  out.limits.first_message_max = std::chrono::seconds(10);
  out.limits.silence_max = std::chrono::seconds(10);
  return out;
}

Result<std::unique_ptr<EnrolmentServer>> EnrolmentServer::start(
    const std::string& bind, const transport::SecretKey& key, std::unique_ptr<EnrolmentDesk> desk,
    std::function<void(const Error&)> on_problem) {
  auto server = std::make_unique<Server>(std::move(desk), std::move(on_problem));
  HANSA_TRY_VOID(server->open(bind, key));
  return server;
}

}  // namespace hansa::server
