// Rows from a real broker arrive exactly once, whatever is interrupted.
#include <algorithm>
#include <csignal>

#include <gtest/gtest.h>
#include <sys/eventfd.h>

#include "tests/data/broker.h"
#include "tests/data/following.h"

namespace hansa::learning {
namespace {

using testing::Broker;

class Mqtt : public testing::Following {
 protected:
  void SetUp() override {
    if (!Broker::is_installed()) GTEST_SKIP() << "the package mosquitto is not installed";
    data_.kind = "csv";
    data_.columns = {"a", "b"};
    data_.label = "y";
  }
  void begin(Broker::Channel channel = Broker::Channel::plain) {
    broker_ = std::make_unique<Broker>(folder_, channel);
    // The broker queues what is published before the feed has connected.
    broker_->open_session("test-client");
    follow_.from = FollowFrom::broker;
    follow_.broker = broker_->config();
    follow_.bad_rows = BadRows::skip;
    restart();
  }
  std::optional<Arrival> turn() {
    feed_->wait(std::chrono::milliseconds(100), -1);
    auto arrival = feed_->next(1'000);
    if (!arrival) {
      error_ = arrival.error().text();
      return std::nullopt;
    }
    collect_notes();
    if (*arrival && (*arrival)->records == 0) {  // the topics of the session
      store(**arrival);
      return std::nullopt;
    }
    return std::move(*arrival);
  }
  Labels take_once() {
    const auto arrival = turn();
    return arrival ? store(*arrival) : Labels();
  }
  // Takes arrivals until there are `count` labels.
  Labels take(std::size_t count) {
    Labels out;
    const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
    while (out.size() < count && std::chrono::steady_clock::now() < until) {
      const auto arrival = turn();
      if (!arrival) continue;
      const Labels labels = store(*arrival);
      out.insert(out.end(), labels.begin(), labels.end());
    }
    return out;
  }
  // No message is queued: a message published now is the next one.
  void expect_nothing_more() {
    broker_->publish("9,9,99");
    EXPECT_EQ(take(1), (Labels{99}));
  }

  std::unique_ptr<Broker> broker_;
};

using AdversaryMqtt = Mqtt;

// Without a limit of bytes, 4,096 messages of 1 MiB would wait in the client's memory.
TEST_F(AdversaryMqtt, LargeMessagesAreReadAFewAtATime) {
  constexpr std::size_t messages = 15;
  begin();
  for (std::size_t i = 0; i < messages; ++i) broker_->publish(std::string(1 << 20, 'x'));
  std::uint64_t records = 0;
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  while (records < messages && std::chrono::steady_clock::now() < until) {
    const auto arrival = turn();
    if (!arrival) continue;
    EXPECT_LE(arrival->records, 10U);
    records += arrival->records;
    store(*arrival);
  }
  EXPECT_EQ(records, messages);
}

TEST_F(Mqtt, AMessageHasOneOrMoreRowsAsCsvOrJson) {
  begin();
  broker_->publish("1,2,3");
  broker_->publish(R"({"y": 6, "b": 5.5, "a": "4", "more": null})");
  broker_->publish("7,8,9\n10,11,12\n");
  broker_->publish(R"([{"a":13,"b":14,"y":15}])");
  EXPECT_EQ(take(5), (Labels{3, 6, 9, 12, 15}));
  EXPECT_EQ(inputs_, (std::vector<float>{1, 2, 4, 5.5, 7, 8, 10, 11, 13, 14}));
  EXPECT_TRUE(notes_.empty());
}

TEST_F(Mqtt, TheLabelOfAForecastIsAlsoAnInput) {
  data_.columns = {"a", "y"};
  begin();
  broker_->publish("1,2");
  broker_->publish(R"({"y": 4, "a": 3})");
  EXPECT_EQ(take(2), (Labels{2, 4}));
  EXPECT_EQ(inputs_, (std::vector<float>{1, 2, 3, 4}));
}

TEST_F(Mqtt, BadMessagesAreReportedAndSkipped) {
  begin();
  broker_->publish("1,x,3");
  broker_->publish("1,2");
  broker_->publish(R"({"a":1,"b":2})");
  broker_->publish("{nonsense");
  broker_->publish("4,5,6");
  EXPECT_EQ(take(1), (Labels{6}));
  ASSERT_EQ(notes_.size(), 4U);
  EXPECT_NE(notes_[2].find("has no \"y\""), std::string::npos) << notes_[2];
  expect_nothing_more();
}

// One message with deeply nested arrays ended the client at every start.
using AdversaryMqtt = Mqtt;
TEST_F(AdversaryMqtt, ANestedValueIsABadMessage) {
  begin();
  constexpr int depth = 400'000;
  broker_->publish(R"({"y":1,"b":2,"a":)" + std::string(depth, '[') + std::string(depth, ']') + "}");
  broker_->publish(R"({"y":1,"b":2,"a":{"c":3}})");
  broker_->publish("4,5,6");
  EXPECT_EQ(take(1), (Labels{6}));
  ASSERT_EQ(notes_.size(), 2U);
  for (const std::string& note : notes_)
    EXPECT_NE(note.find("an array or an object as \"a\""), std::string::npos) << note;
  expect_nothing_more();
}

TEST_F(Mqtt, TheBrokerQueuesMessagesWhileTheClientIsDisconnected) {
  begin();
  feed_.reset();
  for (int i = 1; i <= 50; ++i) broker_->publish("0,0," + std::to_string(i));
  restart();
  const Labels labels = take(50);
  ASSERT_EQ(labels.size(), 50U);
  for (int i = 0; i < 50; ++i) EXPECT_EQ(labels[static_cast<std::size_t>(i)], i + 1);
  expect_nothing_more();
}

TEST_F(Mqtt, AByteOrderMarkAndBareNaNInJsonAreRead) {
  data_.missing = MissingValues::zero;
  begin();
  broker_->publish("\xEF\xBB\xBF{\"a\": 1, \"b\": 2, \"y\": 1}");
  broker_->publish("{\"a\": NaN, \"b\": 2, \"y\": 2}");
  broker_->publish("{\"a\": -Infinity, \"b\": 2, \"y\": 3}");
  broker_->publish("{\"a\": 4, \"b\": 2, \"y\": 4}");
  EXPECT_EQ(take(3), (Labels{1, 2, 4}));
  EXPECT_EQ(inputs_, (std::vector<float>{1, 2, 0, 2, 4, 2}));
  ASSERT_EQ(notes_.size(), 1U);
  EXPECT_NE(notes_[0].find("\"-Infinity\", which is not a number"), std::string::npos) << notes_[0];
}

// The broker keeps the subscriptions of a session: the one to the earlier topic must end, and the new one must be made.
TEST_F(Mqtt, AnotherTopicInTheConfigurationReplacesTheEarlierOne) {
  for (const char* earlier : {"plant/pump-7", "plant/+", "plant/#"}) {
    SCOPED_TRACE(earlier);
    begin();
    notes_.clear();
    broker_->open_session("test-client", earlier);
    follow_.broker.topic = "plant/pump-8";
    broker_->publish("0,0,1", "plant/pump-7");  // queued for the earlier subscription
    restart();
    Labels labels;
    // What is published before the new subscription is there is not for this client.
    while (labels.empty()) {
      broker_->publish("0,0,0", "plant/pump-8");
      labels = take_once();
    }
    broker_->publish("0,0,2", "plant/pump-7");
    broker_->publish("0,0,3", "plant/pump-8");
    while (labels.back() != 3)
      for (const std::int64_t label : take_once()) labels.push_back(label);
    EXPECT_EQ(std::ranges::count(labels, 1) + std::ranges::count(labels, 2), 0);
    ASSERT_EQ(notes_.size(), 1U);
    EXPECT_NE(notes_[0].find("of topic \"plant/pump-7\", to which an earlier data.topic had subscribed"),
              std::string::npos)
        << notes_[0];
  }
}

// Mosquitto sends a message once for each subscription of the session that matches.
TEST_F(Mqtt, ATopicThatIncludesTheEarlierOneGivesEachMessageOnce) {
  begin();
  broker_->publish("0,0,1");
  EXPECT_EQ(take(1), (Labels{1}));
  struct Case {
    const char* topic;
    const char* only_here;  // matches this filter, and none of those before
  };
  for (const auto& [topic, only_here] :
       {Case{"plant/+", "plant/probe"}, Case{"plant/#", "plant/pump/probe"}, Case{"#", "probe"}}) {
    SCOPED_TRACE(topic);
    broker_->publish("0,0,2");  // queued for the earlier subscription
    follow_.broker.topic = topic;
    restart();
    EXPECT_EQ(take(1), (Labels{2}));
    Labels labels;
    while (labels.empty()) {  // the subscription is there
      broker_->publish("0,0,0", only_here);
      labels = take_once();
    }
    for (const char* message : {"0,0,3", "0,0,3", "0,0,4"}) broker_->publish(message);
    while (labels.back() != 4)
      for (const std::int64_t label : take_once()) labels.push_back(label);
    std::erase(labels, 0);
    EXPECT_EQ(labels, (Labels{3, 3, 4}));
    expect_nothing_more();
  }
}

TEST_F(Mqtt, UnstoredMessagesAreNotAcknowledgedAndAreSentAgain) {
  begin();
  broker_->publish("0,0,1");
  std::optional<Arrival> arrival;
  while (!arrival) arrival = turn();
  restart();
  EXPECT_EQ(take(1), (Labels{1}));
  expect_nothing_more();
}

TEST_F(Mqtt, StoredMessagesAreReturnedOnceAlthoughTheirAcknowledgementWasLost) {
  begin();
  broker_->publish("0,0,1");
  std::optional<Arrival> arrival;
  while (!arrival) arrival = turn();
  positions_[arrival->source] = arrival->position;  // then the client crashes
  restart();
  broker_->publish("0,0,2");
  EXPECT_EQ(take(1), (Labels{2}));
  expect_nothing_more();
}

TEST_F(Mqtt, EqualMessagesAreAllReturned) {
  begin();
  for (int i = 0; i < 30; ++i) broker_->publish("1,1,1");
  EXPECT_EQ(take(30).size(), 30U);
  restart();
  for (int i = 0; i < 30; ++i) broker_->publish("1,1,1");
  EXPECT_EQ(take(30).size(), 30U);
  expect_nothing_more();
}

TEST_F(Mqtt, ARestartOfTheBrokerLosesAndDuplicatesNothing) {
  begin();
  Labels all;
  for (int restarts = 0; restarts < 3; ++restarts) {
    for (int i = 0; i < 10; ++i) broker_->publish("0,0," + std::to_string(10 * restarts + i));
    const Labels some = take(3);
    all.insert(all.end(), some.begin(), some.end());
    broker_->stop(SIGTERM);
    broker_->start();
  }
  const Labels rest = take(30 - all.size());
  all.insert(all.end(), rest.begin(), rest.end());
  ASSERT_EQ(all.size(), 30U);
  for (int i = 0; i < 30; ++i) EXPECT_EQ(all[static_cast<std::size_t>(i)], i);
  expect_nothing_more();
}

TEST_F(Mqtt, APausedClientLeavesMessagesAtTheBroker) {
  begin();
  for (int i = 0; i < 5; ++i) broker_->publish("0,0," + std::to_string(i));
  feed_->pause();
  for (int i = 5; i < 10; ++i) broker_->publish("0,0," + std::to_string(i));
  EXPECT_EQ(take(10), (Labels{0, 1, 2, 3, 4, 5, 6, 7, 8, 9}));
  expect_nothing_more();
}

TEST_F(Mqtt, TheBrokersCertificateIsVerified) {
  begin(Broker::Channel::encrypted);
  broker_->publish("1,2,3");
  EXPECT_EQ(take(1), (Labels{3}));
  // With another authority, or a name that is not in the certificate, the connection fails.
  follow_.broker.host = "127.0.0.1";
  error_.clear();
  restart();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (error_.empty() && std::chrono::steady_clock::now() < until) (void)turn();
  EXPECT_NE(error_.find("cannot be reached"), std::string::npos) << error_;
}

TEST_F(Mqtt, AnUnreachableBrokerIsReportedAndTriedAgain) {
  begin();
  broker_->stop(SIGTERM);
  error_.clear();
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(10);
  while (error_.empty() && std::chrono::steady_clock::now() < until) (void)turn();
  EXPECT_NE(error_.find("the broker"), std::string::npos) << error_;
  broker_->start();
  expect_nothing_more();
}

}  // namespace
}  // namespace hansa::learning
