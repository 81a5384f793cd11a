#include "client/join/internal/question.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "common/text.h"
#include "common/time.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client::internal {
namespace {

using enrolment::JoinAnswer;
using enrolment::JoinStatus;
using transport::LinkEvent;

constexpr Duration answer_max = std::chrono::seconds(20);  // from the connection's start to the answer
constexpr int retry_s_min = 1, retry_s_max = 300;
constexpr int unreachable_s_max = 30;  // the pause after a connection that failed doubles up to this
constexpr const char* too_many = "too many devices, or wrong requests, from this network";

JoinAnswer busy_answer(std::uint16_t retry_after_s, std::string why) {
  JoinAnswer out;
  out.status = JoinStatus::busy;
  out.retry_after_s = retry_after_s;
  out.text = std::move(why);
  return out;
}

// One connection, one request, one answer.
Result<JoinAnswer> ask(const EnrolmentPort& port, const transport::SecretKey& key,
                       const std::vector<std::byte>& request) {
  transport::ClientChannelConfig config;
  config.address = port.address;
  config.aggregator = port.aggregator;
  config.proxy = port.proxy;
  config.frame_bytes_max = enrolment::join_answer_bytes_max;
  HANSA_TRY(const auto channel, transport::ClientChannel::open(config, key));
  std::optional<Result<JoinAnswer>> answer;
  const transport::ClientChannel::Handlers handlers{
      .on_message =
          [&](std::span<const std::byte> message, std::span<const std::byte>) {
            if (!answer) answer = enrolment::decode_join_answer(message);
          },
      .on_link =
          [&](const LinkEvent& event) {
            if (event.kind == LinkEvent::Kind::connected) static_cast<void>(channel->send(request, {}));
            // On this port every key is admitted, so that a refusal is a limit of this device's address.
            else if (event.kind == LinkEvent::Kind::refused) answer = busy_answer(30, too_many);
            // A question so soon after the last one ends the connection.
            else if (event.kind == LinkEvent::Kind::disconnected && !answer)
              answer = busy_answer(3, "it was asked a moment ago");
            else if (!answer) answer = tl::unexpected<Error>(event.error);
          }};
  const Instant until = steady_now() + answer_max;
  while (!answer && steady_now() < until) channel->poll(until - steady_now(), handlers, 1);
  if (answer) return std::move(*answer);
  return fail(
      ErrorCode::network, port.address, "does not answer",
      "check that the address and the key are those of this aggregator, and that its log shows no error");
}

// False if `stop` was set before.
bool sleep_unless(const std::atomic<bool>& stop, Duration time) {
  const Instant until = steady_now() + time;
  while (!stop && steady_now() < until)
    std::this_thread::sleep_for(std::min<Duration>(until - steady_now(), std::chrono::milliseconds(100)));
  return !stop;
}

// Tells a person each new state once.
class Notes {
 public:
  explicit Notes(const std::function<void(const std::string&)>& on_note) : on_note_(on_note) {}
  void operator()(const std::string& text) {
    if (text == last_) return;
    last_ = text;
    on_note_(text);
  }

 private:
  const std::function<void(const std::string&)>& on_note_;
  std::string last_;
};

}  // namespace

Result<JoinAnswer> ask_until_decided(const EnrolmentPort& port, const transport::SecretKey& key,
                                     const std::vector<std::byte>& request, const Patience& patience,
                                     const std::function<void(const std::string&)>& on_note,
                                     const std::atomic<bool>& stop) {
  Notes note(on_note);
  bool is_pending = false;
  int unreachable_s = retry_s_min;
  for (;;) {
    auto answer = ask(port, key, request);
    // Whoever waits for a person does not end because a link is down for a while.
    const bool may_retry = is_pending || patience.when_unreachable == WhenUnreachable::retry;
    if (!answer && (!may_retry || answer.error().code != ErrorCode::network))
      return tl::unexpected<Error>(answer.error());
    int retry_s = unreachable_s;
    if (!answer) {
      note("waiting: " + answer.error().text());
      unreachable_s = std::min(2 * unreachable_s, unreachable_s_max);
    } else {
      retry_s = std::clamp<int>(answer->retry_after_s, retry_s_min, retry_s_max);
      unreachable_s = retry_s_min;
      switch (answer->status) {
        case JoinStatus::enrolled: return std::move(*answer);
        case JoinStatus::refused:
          return fail(ErrorCode::refused, port.address, printable(answer->text), "ask the operator");
        case JoinStatus::busy:
          note("the aggregator asks to wait: " +
               (answer->text.empty() ? std::string(too_many) : printable(answer->text)));
          break;
        case JoinStatus::pending:
          is_pending = true;
          note(fmt::format(
              "the aggregator knows this device as \"{0}\" and waits for the operator: hansa approve {0}",
              printable(answer->text)));
          if (patience.wait == WaitForApproval::no)
            return fail(ErrorCode::resource, port.address, "the operator has not approved this device yet",
                        "run the same command again, in the same folder");
      }
    }
    if (!sleep_unless(stop, std::chrono::seconds(retry_s)))
      return fail(ErrorCode::resource, port.address, "the operator has not decided yet",
                  "run the same command again, in the same folder: it continues");
  }
}

}  // namespace hansa::client::internal
