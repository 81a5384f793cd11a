#include "client/check/session_check.h"

#include <fmt/format.h>

#include "protocols/enrolment/key_statements.h"
#include "protocols/messages/codec.h"

namespace hansa::client {
namespace {

using messages::RefuseReason;
using transport::LinkEvent;

// Says Hello, then Ping: whatever the aggregator decides about the session, it says before it answers the Ping.
class Probe {
 public:
  Probe(transport::ClientChannel& channel, const SessionQuestion& question)
      : channel_(channel), question_(question) {}

  [[nodiscard]] SessionAnswers run() {
    const Instant until = steady_now() + question_.at_most;
    const transport::ClientChannel::Handlers handlers{
        .on_message = [this](std::span<const std::byte> message,
                             std::span<const std::byte>) { on_message(message); },
        .on_link = [this](const LinkEvent& event) { on_link(event); }};
    while (!done_ && steady_now() < until) channel_.poll(until - steady_now(), handlers, 1);
    if (!done_ && connected_ && !answers_.welcome && !answers_.refusal) answers_.is_silent = true;
    if (session_ != SessionId{}) say(session_, messages::Bye{});
    return std::move(answers_);
  }

 private:
  void say(SessionId session, const messages::ToAggregator& message) {
    (void)channel_.send(messages::encode(session, message), {});
  }
  void on_link(const LinkEvent& event) {
    if (event.kind == LinkEvent::Kind::connected) {
      connected_ = true;
      messages::Hello hello;
      hello.federation = question_.federation;
      hello.instance = question_.instance;
      hello.software = question_.software;
      return say(SessionId{}, hello);
    }
    done_ = true;
    if (connected_) answers_.ended_early = !answers_.welcome && !answers_.refusal;
    else answers_.link_failure = event;
  }
  void on_message(std::span<const std::byte> bytes) {
    if (done_ || enrolment::is_statements_frame(bytes)) return;
    auto decoded = messages::decode_to_client(bytes);
    if (!decoded) {
      answers_.unreadable = decoded.error();
      done_ = true;
      return;
    }
    const auto* envelope = std::get_if<messages::Envelope<messages::ToClient>>(&*decoded);
    if (envelope == nullptr) return;
    if (const auto* welcome = std::get_if<messages::Welcome>(&envelope->message)) {
      answers_.welcome = *welcome;
      session_ = envelope->session;
      return say(session_, messages::Ping{});
    }
    if (const auto* refusal = std::get_if<messages::Refuse>(&envelope->message)) {
      answers_.refusal = *refusal;
      session_ = {};
      done_ = true;
    }
    // The federation may be over: then Finished, or the farewell, is the answer.
    if (std::holds_alternative<messages::Pong>(envelope->message) ||
        std::holds_alternative<messages::Finished>(envelope->message) ||
        std::holds_alternative<messages::Bye>(envelope->message))
      done_ = true;
  }

  transport::ClientChannel& channel_;
  const SessionQuestion& question_;
  SessionAnswers answers_;
  SessionId session_;
  bool connected_ = false;
  bool done_ = false;
};

// The findings so far, and for the remaining checks that they were not tried.
class Findings {
 public:
  explicit Findings(Route route) {
    if (route == Route::through_proxy) remaining_.push_back(Check::proxy);
    for (const Check check : {Check::handshake, Check::admission, Check::version, Check::federation,
                              Check::session, Check::certificate})
      remaining_.push_back(check);
  }
  Findings& pass(std::string text) {
    out_.push_back(passed(take(), std::move(text)));
    return *this;
  }
  Findings& skip() {
    out_.push_back(not_tried(take(), "not tried"));
    return *this;
  }
  // The first remaining check has failed; the others were not tried.
  std::vector<Finding> fail(ErrorCode code, std::string text, std::string hint) {
    out_.push_back(failed(take(), code, std::move(text), std::move(hint)));
    return finish();
  }
  std::vector<Finding> finish() {
    while (at_ < remaining_.size()) skip();
    return std::move(out_);
  }

 private:
  Check take() { return remaining_[at_++]; }
  std::vector<Check> remaining_;
  std::size_t at_ = 0;
  std::vector<Finding> out_;
};

std::vector<Finding> judge_link(const LinkEvent& event, const std::string& address, Route route,
                                Findings findings) {
  const Error& error = event.error;
  const std::string text = address + ": " + error.what;
  if (route == Route::through_proxy) {
    // The tunnel reports its own failures as unreachable; for everything else it had carried bytes.
    if (event.kind == LinkEvent::Kind::unreachable) return findings.fail(error.code, text, error.hint);
    findings.pass("the proxy connects to the aggregator");
  }
  if (event.kind == LinkEvent::Kind::refused)
    return findings.pass("the aggregator has the pinned key").fail(error.code, text, error.hint);
  return findings.fail(error.code, text, error.hint);
}

std::vector<Finding> judge_refusal(const SessionAnswers& answers, Findings findings) {
  const messages::Refuse& refusal = *answers.refusal;
  const auto fail = [&](std::string hint = {}) {
    return findings.fail(ErrorCode::refused, "the aggregator refuses this device: " + refusal.what,
                         hint.empty() ? refusal.hint : std::move(hint));
  };
  if (refusal.reason == RefuseReason::version || refusal.reason == RefuseReason::malformed) return fail();
  findings.pass("both sides speak the same version");
  // Of another federation, if there was no Welcome; otherwise without a valid certificate for this one.
  if (refusal.reason == RefuseReason::federation && !answers.welcome) return fail();
  findings.pass("the aggregator runs this federation");
  if (refusal.reason == RefuseReason::federation) {
    findings.pass("no other device uses the key");
    return fail();
  }
  if (refusal.reason == RefuseReason::identity_in_use)
    return fail(
        "stop the other client with this key; if it is not yours, the key was copied: ask the operator to "
        "revoke it, and join again");
  return fail();
}

}  // namespace

Result<SessionAnswers> probe_session(const transport::ClientChannelConfig& channel,
                                     const transport::SecretKey& key, const SessionQuestion& question) {
  HANSA_TRY(const auto open, transport::ClientChannel::open(channel, key));
  return Probe(*open, question).run();
}

std::vector<Finding> judge(const SessionAnswers& answers, const std::string& address, Route route) {
  Findings findings(route);
  if (answers.link_failure) return judge_link(*answers.link_failure, address, route, std::move(findings));
  if (route == Route::through_proxy) findings.pass("the proxy connects to the aggregator");
  findings.pass("the aggregator has the pinned key").pass("the aggregator admits this device's key");
  if (answers.unreadable)
    return findings.fail(answers.unreadable->code, "the aggregator's message " + answers.unreadable->what,
                         "install the same version of Hansa on both sides");
  if (answers.refusal) return judge_refusal(answers, std::move(findings));
  if (answers.is_silent || answers.ended_early)
    return findings.skip().skip().fail(
        ErrorCode::network,
        answers.is_silent ? address + ": the aggregator does not answer Hello"
                          : address + ": the connection ended before the aggregator answered",
        "if it stays so, the aggregator's log says why; a very slow link needs more time");
  findings.pass("both sides speak the same version");
  findings.pass("the aggregator runs this federation");
  if (answers.welcome)
    findings.pass("a session was opened as \"" + answers.welcome->client + "\", run " + answers.welcome->run);
  else findings.pass("the federation is finished");
  return findings.pass("the aggregator accepts the device's certificate, if it needs one").finish();
}

}  // namespace hansa::client
