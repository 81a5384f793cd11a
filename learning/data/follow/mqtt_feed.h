// Rows that arrive as messages from an MQTT broker (kinds csv and windows), at quality of service 1.
//
// The broker keeps the session while the client is disconnected. A message is acknowledged only when its rows are in
// durable storage: libmosquitto queues acknowledgements as messages are read, and the queue is written after stored().
// A message that was stored, but whose acknowledgement was lost, is sent again as one of the first after the next
// connect (MQTT 3.1.1, 4.4 and 4.6). It is recognised by packet identifier and content, and is acknowledged without
// being returned again.
//
// The broker also keeps the subscriptions of the session, and may send a message once for each that matches. The topics to which
// the client has subscribed are therefore stored, as the position of the source broker.address(), before it subscribes, and
// those of earlier configurations are ended first.
#pragma once
#include <deque>
#include <optional>
#include <set>

#include "learning/data/follow/feed.h"
#include "learning/data/follow/row_examples.h"

struct mosquitto;
struct mosquitto_message;

namespace hansa::learning::internal {

class MqttFeed final : public Feed {
 public:
  [[nodiscard]] static Result<std::unique_ptr<MqttFeed>> open(const DataConfig& data,
                                                              const FollowConfig& follow,
                                                              const std::string& consumer,
                                                              const KnownPosition& known);
  ~MqttFeed() override;

  [[nodiscard]] Result<std::optional<Arrival>> next(std::uint64_t records_max) override;
  void stored() override;
  void wait(Duration most, int wake) override;
  // Disconnects. The broker queues the messages that arrive in the meantime.
  void pause() override;
  [[nodiscard]] std::vector<Error> take_notes() override { return std::exchange(notes_, {}); }

 private:
  // Identifies a message that is in durable storage, so that a second delivery is recognised.
  struct Delivered {
    int identifier = 0;
    std::string content;  // first part of the content's digest
    friend bool operator==(const Delivered&, const Delivered&) = default;
  };
  struct Message {
    Delivered delivered;
    std::string payload;
  };
  struct Free {
    void operator()(mosquitto* client) const;
  };

  MqttFeed(const DataConfig& data, const FollowConfig& follow, std::string consumer, CsvRowReader rows);
  [[nodiscard]] Result<void> create();
  [[nodiscard]] bool restore(const std::string& position);
  [[nodiscard]] Result<void> restore_topics(const KnownPosition& known);
  // The arrival that stores the topics.
  [[nodiscard]] Arrival topics_to_store() const;
  [[nodiscard]] std::string position_text() const;
  [[nodiscard]] Result<void> connect_if_due();
  void on_connected(int code, int flags);
  void on_message(const mosquitto_message& message);
  void on_subscribed(bool granted);
  // The broker keeps the subscriptions of a session, also of a topic that the configuration named earlier.
  void end_subscription(const char* topic);
  // Ends all subscriptions with other filters that match the topic; once for each topic and connection.
  void unsubscribe(std::string_view topic);
  void end_subscriptions(std::vector<std::string> filters);
  void check(int code);  // handles the result of a libmosquitto call: the connection may be lost
  void lose(const std::string& why);
  void serve();  // reads what has arrived; writes unless acknowledgements must wait
  [[nodiscard]] bool holds_back() const { return given_ || !waiting_.empty(); }
  [[nodiscard]] bool is_full() const;  // no more messages are read until some are taken
  void forget_waiting();
  void take_rows(const Message& message, Arrival& arrival, ColumnRanges& ranges);

  DataConfig data_;
  BadRows bad_rows_;
  BrokerConfig broker_;
  std::string consumer_;
  std::string source_;
  std::vector<std::string> names_;  // fields of a message
  CsvRowReader rows_;
  RowExamples examples_;
  std::unique_ptr<mosquitto, Free> client_;
  enum class Link { away, connecting, connected } link_ = Link::away;
  Instant retry_at_;
  Duration retry_after_;
  std::optional<Error> trouble_;  // returned by the next call of next()
  bool may_repeat_ = false;  // only known messages have arrived since the connect
  std::deque<Message> waiting_;
  std::size_t waiting_bytes_ = 0;  // of their payloads
  std::deque<Delivered> delivered_;  // the last messages that are stored or about to be stored
  bool given_ = false;
  std::vector<std::string> topics_;  // to which the session may have subscribed
  bool are_topics_stored_ = false;  // and the current one is among them
  bool has_ended_subscription_ = false;  // and reported it
  std::set<std::string, std::less<>> ended_;  // topics, since the connect
  std::vector<Error> notes_;
};

}  // namespace hansa::learning::internal
