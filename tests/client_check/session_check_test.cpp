// What the aggregator's answers mean, and the conversation with a real socket.
#include "client/check/session_check.h"

#include <array>
#include <atomic>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "protocols/messages/codec.h"
#include "protocols/transport/server_channel.h"
#include "tests/transport/stranger.h"

namespace hansa::client {
namespace {

using messages::RefuseReason;
using ::testing::HasSubstr;
using transport::LinkEvent;

// The first failed check; empty: none.
std::optional<Check> first_failure(const std::vector<Finding>& findings) {
  for (const Finding& finding : findings)
    if (finding.outcome == Outcome::failed) return finding.check;
  return std::nullopt;
}
std::vector<Finding> judge_direct(const SessionAnswers& answers) {
  return judge(answers, "tcp://127.0.0.1:7470", Route::direct);
}
SessionAnswers link(LinkEvent::Kind kind) {
  SessionAnswers out;
  out.link_failure = LinkEvent{kind, Error{ErrorCode::refused, "tcp://127.0.0.1:7470", "what", "hint"}};
  return out;
}
SessionAnswers refusal(RefuseReason reason) {
  SessionAnswers out;
  out.refusal = messages::Refuse{reason, "what", "hint", 0};
  return out;
}
messages::Welcome welcome() {
  messages::Welcome out;
  out.client = "pump-7";
  out.run = "run-1";
  return out;
}

TEST(SessionCheck, AWelcomePassesEverything) {
  SessionAnswers answers;
  answers.welcome = welcome();
  const auto findings = judge_direct(answers);
  EXPECT_EQ(findings.size(), 6U);
  EXPECT_TRUE(all_passed(findings));
}

TEST(SessionCheck, EachLinkFailureHasItsCheck) {
  EXPECT_EQ(first_failure(judge_direct(link(LinkEvent::Kind::wrong_key))), Check::handshake);
  EXPECT_EQ(first_failure(judge_direct(link(LinkEvent::Kind::not_hansa))), Check::handshake);
  EXPECT_EQ(first_failure(judge_direct(link(LinkEvent::Kind::refused))), Check::admission);
}

TEST(SessionCheck, AProxyThatRefusesIsNotBlamedOnTheAggregator) {
  const auto judged = [](LinkEvent::Kind kind) {
    return first_failure(judge(link(kind), "tcp://127.0.0.1:7470", Route::through_proxy));
  };
  EXPECT_EQ(judged(LinkEvent::Kind::unreachable), Check::proxy);
  EXPECT_EQ(judged(LinkEvent::Kind::wrong_key), Check::handshake);
  EXPECT_EQ(judged(LinkEvent::Kind::refused), Check::admission);
}

TEST(SessionCheck, EachRefusalHasItsCheck) {
  EXPECT_EQ(first_failure(judge_direct(refusal(RefuseReason::version))), Check::version);
  EXPECT_EQ(first_failure(judge_direct(refusal(RefuseReason::federation))), Check::federation);
  EXPECT_EQ(first_failure(judge_direct(refusal(RefuseReason::identity_in_use))), Check::session);
  // The session was open: the federation is right, and the certificate is not.
  SessionAnswers answers = refusal(RefuseReason::federation);
  answers.welcome = welcome();
  EXPECT_EQ(first_failure(judge_direct(answers)), Check::certificate);
}

TEST(SessionCheck, WhatComesAfterAFailureWasNotTried) {
  const auto findings = judge_direct(refusal(RefuseReason::version));
  ASSERT_EQ(findings.size(), 6U);
  EXPECT_EQ(findings[1].outcome, Outcome::passed);
  EXPECT_EQ(findings[2].outcome, Outcome::failed);
  for (std::size_t i = 3; i < findings.size(); ++i) EXPECT_EQ(findings[i].outcome, Outcome::not_tried);
}

// An aggregator that admits every key, and answers each message with the same frame.
class OneAnswer final : public transport::Admission {
 public:
  explicit OneAnswer(std::vector<std::byte> answer) : answer_(std::move(answer)) {
    transport::ServerChannelConfig config;
    config.bind = "tcp://127.0.0.1:0";
    channel_ = transport::ServerChannel::open(config, key_, *this).value();
    thread_ = std::thread([this] {
      transport::ServerChannel::Handlers handlers;
      handlers.on_message = [this](const transport::Incoming& in) {
        if (!answer_.empty()) channel_->send(in.peer, answer_, {});
      };
      while (!stop_) channel_->poll(std::chrono::milliseconds(50), handlers, -1, 16);
    });
  }
  ~OneAnswer() override {
    stop_ = true;
    channel_->wake();
    thread_.join();
  }
  [[nodiscard]] std::optional<std::string> admit(const transport::PublicKey&) override { return "pump-7"; }
  [[nodiscard]] transport::ClientChannelConfig config() const {
    transport::ClientChannelConfig out;
    out.address = channel_->endpoint();
    out.aggregator = key_.public_key().value();
    return out;
  }

 private:
  std::vector<std::byte> answer_;
  transport::SecretKey key_ = transport::generate_secret_key().value();
  std::unique_ptr<transport::ServerChannel> channel_;
  std::atomic<bool> stop_ = false;
  std::thread thread_;
};

const SessionQuestion question{"pumps", "hansa-client check", 1, std::chrono::seconds(2)};
const transport::SecretKey own_key = transport::generate_secret_key().value();

TEST(SessionCheck, AnAggregatorOfAnotherVersionIsNamed) {
  auto frame = messages::encode(SessionId{}, messages::Refuse{RefuseReason::version, "w", "h", 0});
  frame[2] = std::byte{99};
  const OneAnswer aggregator(frame);
  const auto answers = probe_session(aggregator.config(), own_key, question);
  ASSERT_TRUE(answers) << answers.error().text();
  const auto findings = judge_direct(*answers);
  EXPECT_EQ(first_failure(findings), Check::version);
  EXPECT_THAT(findings[2].text, HasSubstr("protocol version 99"));
}

TEST(SessionCheck, AnAggregatorThatRefusesTheVersionIsNamed) {
  const OneAnswer aggregator(
      messages::encode(SessionId{}, messages::Refuse{RefuseReason::version, "w", "h", 0}));
  const auto answers = probe_session(aggregator.config(), own_key, question);
  ASSERT_TRUE(answers);
  EXPECT_EQ(first_failure(judge_direct(*answers)), Check::version);
}

TEST(SessionCheck, AnAggregatorThatDoesNotAnswerIsNamed) {
  const OneAnswer aggregator({});
  const auto answers = probe_session(aggregator.config(), own_key, question);
  ASSERT_TRUE(answers);
  EXPECT_TRUE(answers->is_silent);
  EXPECT_EQ(first_failure(judge_direct(*answers)), Check::session);
}

TEST(SessionCheck, APeerThatIsNoAggregatorIsNamed) {
  const transport::testing::Stranger stranger(transport::testing::Stranger::Habit::answers_http);
  transport::ClientChannelConfig config;
  config.address = stranger.address();
  config.aggregator = own_key.public_key().value();
  const auto answers = probe_session(config, own_key, question);
  ASSERT_TRUE(answers);
  EXPECT_EQ(first_failure(judge_direct(*answers)), Check::handshake);
}

}  // namespace
}  // namespace hansa::client
