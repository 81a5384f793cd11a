#include "learning/data/follow/mqtt_feed.h"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstring>

#include <mosquitto.h>
#include <nlohmann/json.hpp>
#include <poll.h>

#include "common/files.h"
#include "common/text.h"
#include "learning/data/follow/mqtt_payload.h"
#include "learning/data/follow/topic_filter.h"

namespace hansa::learning::internal {
namespace {

using nlohmann::json;

constexpr int keepalive_s = 30;
constexpr Duration retry_min = std::chrono::seconds(1);
constexpr Duration retry_max = std::chrono::seconds(30);
constexpr std::size_t payload_bytes_max = 1 << 20;
// Above what a broker keeps in flight to one client: mosquitto's max_inflight_messages is 20.
constexpr std::size_t delivered_max = 256;
constexpr std::size_t waiting_max = 4'096;
// Whatever a publisher sends waits at the broker while more is not read: that of few large messages.
constexpr std::size_t waiting_bytes_max = 8 << 20;
constexpr std::size_t notes_max = 64;

// Initialises libmosquitto once in the process and never cleans it up: other code in the process may use it too.
void start_library() {
  static const int started = mosquitto_lib_init();
  (void)started;
}

std::string in_short(std::string_view payload) { return sha256(payload).hex().substr(0, 16); }

// The fields of a row, in order. The label of a forecast is also an input and appears once.
std::vector<std::string> field_names(const DataConfig& data) {
  std::vector<std::string> out = data.columns;
  for (const std::string& name : {data.label, data.group})
    if (!name.empty() && std::find(out.begin(), out.end(), name) == out.end()) out.push_back(name);
  return out;
}

}  // namespace

void MqttFeed::Free::operator()(mosquitto* client) const { mosquitto_destroy(client); }

MqttFeed::MqttFeed(const DataConfig& data, const FollowConfig& follow, std::string consumer,
                   CsvRowReader rows)
    : data_(data),
      bad_rows_(follow.bad_rows),
      broker_(follow.broker),
      consumer_(std::move(consumer)),
      source_(follow.broker.address() + "/" + follow.broker.topic),
      names_(field_names(data)),
      rows_(std::move(rows)),
      examples_(data, rows_.input_count()),
      retry_after_(retry_min) {}

MqttFeed::~MqttFeed() = default;

Result<std::unique_ptr<MqttFeed>> MqttFeed::open(const DataConfig& data, const FollowConfig& follow,
                                                 const std::string& consumer, const KnownPosition& known) {
  start_library();
  const std::string location = follow.broker.address() + "/" + follow.broker.topic;
  CsvRecord header;
  header.line = 1;
  const std::vector<std::string> names = field_names(data);  // the header's fields point into it
  for (const std::string& name : names) header.fields.push_back(name);
  HANSA_TRY(CsvRowReader rows, CsvRowReader::create(data, header, location));
  std::unique_ptr<MqttFeed> out(new MqttFeed(data, follow, consumer, std::move(rows)));
  HANSA_TRY(const std::optional<std::string> position, known(out->source_));
  if (position && !out->restore(*position))
    out->notes_.push_back({ErrorCode::data,
                           location,
                           "its stored position cannot be used; reading starts with the next message",
                           {},
                           {ReasonCode::messages_lost, {}}});
  HANSA_TRY_VOID(out->restore_topics(known));
  HANSA_TRY_VOID(out->create());
  return out;
}

Result<void> MqttFeed::restore_topics(const KnownPosition& known) {
  constexpr std::size_t topics_max = 64;
  HANSA_TRY(const std::optional<std::string> position, known(broker_.address()));
  const json kept = position ? json::parse(*position, nullptr, false) : json();
  if (kept.is_object() && kept.contains("topics") && kept.at("topics").is_array())
    for (const json& topic : kept.at("topics"))
      if (topic.is_string()) topics_.push_back(topic.get<std::string>());
  are_topics_stored_ = std::ranges::find(topics_, broker_.topic) != topics_.end();
  if (!are_topics_stored_) topics_.push_back(broker_.topic);
  if (topics_.size() > topics_max) topics_.erase(topics_.begin());
  return {};
}

Arrival MqttFeed::topics_to_store() const {
  Arrival out;
  out.source = broker_.address();
  out.position = json{{"topics", topics_}}.dump(-1, ' ', false, json::error_handler_t::replace);
  return out;
}

// Each connection gets a new client, because acknowledgements that are queued in the old one must never be sent.
Result<void> MqttFeed::create() {
  client_.reset(mosquitto_new(consumer_.c_str(), /*clean_session=*/false, this));
  if (!client_) return fail(ErrorCode::resource, source_, "the MQTT client cannot be created");
  mosquitto* client = client_.get();
  // This moves writing to our side: otherwise libmosquitto would send each acknowledgement before its message is
  // stored.
  mosquitto_threaded_set(client, true);
  if (broker_.tls) {
    const auto text = [](const std::filesystem::path& path) { return path.empty() ? nullptr : path.c_str(); };
    int code = MOSQ_ERR_SUCCESS;
    if (broker_.ca_file.empty()) code = mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    if (code == MOSQ_ERR_SUCCESS && (!broker_.ca_file.empty() || !broker_.certificate_file.empty()))
      code = mosquitto_tls_set(client, text(broker_.ca_file),
                               broker_.ca_file.empty() ? "/etc/ssl/certs" : nullptr,
                               text(broker_.certificate_file), text(broker_.key_file), nullptr);
    if (code == MOSQ_ERR_SUCCESS)
      code = mosquitto_tls_opts_set(client, /*SSL_VERIFY_PEER=*/1, "tlsv1.2", nullptr);
    if (code != MOSQ_ERR_SUCCESS)
      return fail(ErrorCode::usage, broker_.address(),
                  std::string("its certificates cannot be used (") + mosquitto_strerror(code) + ")",
                  "check broker_ca_file, broker_certificate_file and broker_key_file");
  }
  if (!broker_.user.empty()) {
    std::string password;
    if (!broker_.password_file.empty()) {
      HANSA_TRY(password, read_text_file(broker_.password_file, 4'096));
      password = trimmed(password, "\r\n");
    }
    mosquitto_username_pw_set(client, broker_.user.c_str(), password.empty() ? nullptr : password.c_str());
  }
  mosquitto_connect_with_flags_callback_set(client, [](mosquitto*, void* self, int code, int flags) {
    static_cast<MqttFeed*>(self)->on_connected(code, flags);
  });
  mosquitto_message_callback_set(client, [](mosquitto*, void* self, const mosquitto_message* message) {
    static_cast<MqttFeed*>(self)->on_message(*message);
  });
  mosquitto_subscribe_callback_set(client, [](mosquitto*, void* self, int, int count, const int* granted) {
    static_cast<MqttFeed*>(self)->on_subscribed(count > 0 && granted[0] < 0x80);
  });
  return {};
}

void MqttFeed::lose(const std::string& why) {
  link_ = Link::away;
  // The broker sends unstored messages again: their acknowledgements are dropped with the connection.
  forget_waiting();
  given_ = false;
  retry_at_ = steady_now() + retry_after_;
  retry_after_ = std::min(2 * retry_after_, retry_max);
  trouble_ = Error{ErrorCode::network,
                   broker_.address(),
                   why,
                   "check the broker and data.broker; the client keeps trying",
                   {ReasonCode::source_unreachable, {}}};
}

void MqttFeed::check(int code) {
  if (code == MOSQ_ERR_SUCCESS || link_ == Link::away) return;
  std::string why = code == MOSQ_ERR_ERRNO ? std::strerror(errno) : mosquitto_strerror(code);
  while (why.ends_with('.')) why.pop_back();
  lose((link_ == Link::connected ? "the connection to the broker was lost ("
                                 : "the broker cannot be reached (") +
       why + ")");
}

Result<void> MqttFeed::connect_if_due() {
  if (link_ != Link::away || steady_now() < retry_at_) return {};
  HANSA_TRY_VOID(create());
  link_ = Link::connecting;
  check(mosquitto_connect_async(client_.get(), broker_.host.c_str(), broker_.port, keepalive_s));
  return {};
}

void MqttFeed::on_connected(int code, int flags) {
  if (code != 0) {
    std::string why = mosquitto_connack_string(code);
    while (why.ends_with('.')) why.pop_back();
    return lose("the broker refuses the connection (" + why + ")");
  }
  link_ = Link::connected;
  retry_after_ = retry_min;
  trouble_.reset();
  const bool session_present = (flags & 1) != 0;
  may_repeat_ = session_present;
  if (!session_present) {
    if (!delivered_.empty())
      notes_.push_back(
          {ErrorCode::data,
           source_,
           "the broker kept no session; messages sent while the client was disconnected may be lost",
           {},
           {ReasonCode::messages_lost, {}}});
    delivered_.clear();
  }
  ended_.clear();
  // An earlier filter that matches the topic too would give each message twice.
  if (session_present) end_subscriptions(topics_);
  if (session_present && broker_.topic.find_first_of("+#") == std::string::npos) unsubscribe(broker_.topic);
  // Also in a session that the broker kept: its subscription may be that of another topic.
  check(mosquitto_subscribe(client_.get(), nullptr, broker_.topic.c_str(), 1));
}

void MqttFeed::on_subscribed(bool granted) {
  if (!granted) lose("the broker refuses topic \"" + broker_.topic + "\" to this client");
}

void MqttFeed::on_message(const mosquitto_message& message) {
  // A retained message is an old one, which the broker sends to each new subscriber.
  if (message.retain) return;
  if (!matches_filter(broker_.topic, message.topic)) return end_subscription(message.topic);
  const std::string_view payload(static_cast<const char*>(message.payload),
                                 static_cast<std::size_t>(message.payloadlen));
  Delivered delivered{message.mid, in_short(payload)};
  if (may_repeat_ && message.mid != 0 && std::ranges::find(delivered_, delivered) != delivered_.end()) return;
  may_repeat_ = false;
  if (payload.size() > payload_bytes_max) {
    notes_.push_back(skipped({ErrorCode::data,
                              source_,
                              "a message of " + std::to_string(payload.size()) + " bytes",
                              "the limit is 1 MiB",
                              {ReasonCode::data_too_large, {}}}));
    return;
  }
  waiting_bytes_ += payload.size();
  waiting_.push_back({std::move(delivered), std::string(payload)});
}

bool MqttFeed::is_full() const {
  return waiting_.size() >= waiting_max || waiting_bytes_ >= waiting_bytes_max || notes_.size() >= notes_max;
}

void MqttFeed::forget_waiting() {
  waiting_.clear();
  waiting_bytes_ = 0;
}

void MqttFeed::unsubscribe(std::string_view topic) {
  constexpr std::size_t topics_max = 64, topic_bytes_max = 512;
  if (ended_.size() == topics_max || topic.size() > topic_bytes_max || !ended_.emplace(topic).second) return;
  end_subscriptions(filters_of(topic));
}

void MqttFeed::end_subscriptions(std::vector<std::string> filters) {
  std::erase(filters, broker_.topic);
  if (filters.empty()) return;
  std::vector<char*> names;
  for (std::string& filter : filters) names.push_back(filter.data());
  check(mosquitto_unsubscribe_multiple(client_.get(), nullptr, static_cast<int>(names.size()), names.data(),
                                       nullptr));
}

void MqttFeed::end_subscription(const char* topic) {
  unsubscribe(topic);
  if (std::exchange(has_ended_subscription_, true)) return;
  notes_.push_back(
      skipped({ErrorCode::data,
               source_,
               "a message of topic \"" + printable(topic) +
                   "\", to which an earlier data.topic had subscribed; that subscription is ended",
               {},
               {ReasonCode::messages_lost, {}}}));
}

void MqttFeed::serve() {
  mosquitto* client = client_.get();
  for (std::size_t reads = 0; link_ != Link::away && reads < waiting_max; ++reads) {
    if (!holds_back() && mosquitto_want_write(client)) check(mosquitto_loop_write(client, 1));
    if (link_ == Link::away || is_full()) break;
    pollfd readable{mosquitto_socket(client), POLLIN, 0};
    if (readable.fd < 0 || ::poll(&readable, 1, 0) <= 0) break;
    check(mosquitto_loop_read(client, 1));
  }
  if (link_ != Link::away) check(mosquitto_loop_misc(client));
}

void MqttFeed::take_rows(const Message& message, Arrival& arrival, ColumnRanges& ranges) {
  ++arrival.records;
  arrival.digest.add(message.payload);
  std::vector<std::vector<std::string>> rows;
  // All rows of a message are accepted, or none.
  std::vector<CsvRow> read;
  auto bad = split_payload(message.payload, {names_, data_.delimiter.at(0), source_}, rows);
  for (std::size_t i = 0; bad && i < rows.size(); ++i) {
    CsvRecord record;
    record.fields.assign(rows[i].begin(), rows[i].end());
    record.line = i + 1;
    auto& row = read.emplace_back();
    const auto whole = rows_.read(record, row);
    if (!whole) {
      bad = tl::unexpected<Error>(whole.error());
    } else if (!*whole) {
      examples_.leave_out(row.group);
      read.pop_back();
    }
  }
  if (!bad) {
    notes_.push_back(skipped(bad.error()));
    for (const CsvRow& row : read) examples_.leave_out(row.group);
    return;
  }
  for (const CsvRow& row : read) {
    examples_.add(row);
    ranges.add(row.inputs);
  }
}

Result<std::optional<Arrival>> MqttFeed::next(std::uint64_t records_max) {
  if (!are_topics_stored_) return topics_to_store();
  HANSA_TRY_VOID(connect_if_due());
  serve();
  if (waiting_.empty()) {
    if (trouble_) return tl::unexpected<Error>(*std::exchange(trouble_, std::nullopt));
    return std::nullopt;
  }
  Arrival arrival;
  arrival.source = source_;
  ColumnRanges ranges;
  while (!waiting_.empty() && arrival.records < records_max) {
    take_rows(waiting_.front(), arrival, ranges);
    waiting_bytes_ -= waiting_.front().payload.size();
    delivered_.push_back(std::move(waiting_.front().delivered));
    waiting_.pop_front();
  }
  while (delivered_.size() > delivered_max) delivered_.pop_front();
  arrival.examples = examples_.take();
  arrival.description = rows_.describe(arrival.examples.shape, ranges);
  arrival.position = position_text();
  given_ = true;
  return arrival;
}

void MqttFeed::stored() {
  are_topics_stored_ = true;
  given_ = false;
  serve();
}

void MqttFeed::wait(Duration most, int wake) {
  most = std::min<Duration>(most, std::chrono::seconds(1));  // loop_misc() sends the keep-alive
  if (link_ == Link::away) most = std::min(most, std::max(retry_at_ - steady_now(), Duration::zero()));
  const int socket = link_ == Link::away ? -1 : mosquitto_socket(client_.get());
  short events = POLLIN;
  if (socket >= 0 && !holds_back() && mosquitto_want_write(client_.get())) events |= POLLOUT;
  std::array<pollfd, 2> waited{pollfd{wake, POLLIN, 0}, pollfd{socket, events, 0}};
  (void)::poll(waited.data(), 2,
               static_cast<int>(std::chrono::ceil<std::chrono::milliseconds>(most).count()));
}

void MqttFeed::pause() {
  if (link_ == Link::away) return;
  client_.reset();  // no DISCONNECT, which would flush the acknowledgements of unstored messages
  forget_waiting();
  given_ = false;
  link_ = Link::away;
  retry_at_ = steady_now();
}

std::string MqttFeed::position_text() const {
  json delivered = json::array();
  for (const Delivered& one : delivered_) delivered.push_back({one.identifier, one.content});
  return json{{"delivered", std::move(delivered)}, {"carry", examples_.carry()}}.dump(
      -1, ' ', false, json::error_handler_t::replace);
}

bool MqttFeed::restore(const std::string& position) {
  const json kept = json::parse(position, nullptr, false);
  if (!kept.is_object()) return false;
  try {
    std::deque<Delivered> delivered;
    for (const json& one : kept.at("delivered"))
      delivered.push_back({one.at(0).get<int>(), one.at(1).get<std::string>()});
    if (!examples_.restore(kept.at("carry"))) return false;
    delivered_ = std::move(delivered);
    return true;
  } catch (const json::exception&) {
    return false;
  }
}

}  // namespace hansa::learning::internal
