#include "server/http/internal/hub.h"

#include <algorithm>
#include <exception>
#include <utility>

#include "common/text.h"
#include "server/http/listen_address.h"

namespace hansa::http::internal {

Hub::Hub(ServerConfig config, Handler& handler)
    : config_(std::move(config)),
      handler_(handler),
      access_(config_),
      worker_(std::make_unique<Worker>(config_.limits.queued_requests_max)) {}

Response Hub::call_handler(const Request& request) const {
  try {
    return handler_.handle(request);
  } catch (const std::exception&) {
    return error_response(500, "internal", "the request could not be answered");
  }
}

bool Hub::has_room_for(const std::string& address) {
  if (!config_.behind_proxy && !is_loopback_address(address)) {
    const auto found = connections_of_.find(address);
    if (found != connections_of_.end() && found->second >= limits().connections_per_address_max) return false;
  }
  if (connections_ < limits().connections_max) return true;
  if (idle_.empty()) return false;
  Connection* const longest = idle_.front();
  set_busy(*longest);
  longest->close();
  return true;
}

void Hub::add(Connection& connection, const std::string& address) {
  ++connections_;
  ++connections_of_[address];
  set_idle(connection);
}

void Hub::remove(Connection& connection, const std::string& address) {
  set_busy(connection);
  remove_stream(connection);
  --connections_;
  const auto found = connections_of_.find(address);
  if (--found->second == 0) connections_of_.erase(found);
}

void Hub::set_idle(Connection& connection) {
  if (idle_place_.contains(&connection)) return;
  idle_place_.emplace(&connection, idle_.insert(idle_.end(), &connection));
}

void Hub::set_busy(Connection& connection) {
  const auto found = idle_place_.find(&connection);
  if (found == idle_place_.end()) return;
  idle_.erase(found->second);
  idle_place_.erase(found);
}

bool Hub::add_stream(Connection& connection) {
  if (streams_.size() >= limits().streams_max) return false;
  streams_.insert(&connection);
  stream_count_ = static_cast<std::uint32_t>(streams_.size());
  return true;
}

void Hub::remove_stream(Connection& connection) {
  streams_.erase(&connection);
  stream_count_ = static_cast<std::uint32_t>(streams_.size());
}

void Hub::send_newest(Connection& connection) const {
  for (const auto& [name, event] : newest_) connection.send_event(event);
}

void Hub::send(std::string_view name, const std::string& json) {
  auto event = std::make_shared<StreamedEvent>();
  event->name = name;
  event->is_kept = std::ranges::find(config_.kept_events, name) != config_.kept_events.end();
  event->text = "id: " + std::to_string(next_event_++) + "\nevent: " + event->name + "\ndata: ";
  // A line break would begin another field.
  std::ranges::replace_copy_if(
      json, std::back_inserter(event->text), [](char c) { return c == '\n' || c == '\r'; }, ' ');
  event->text += "\n\n";
  if (event->is_kept) newest_[event->name] = event;
  send_to_all(event);
}

void Hub::send_comment() {
  auto event = std::make_shared<StreamedEvent>();
  event->text = ":\n\n";
  event->is_kept = true;
  send_to_all(event);
}

void Hub::send_to_all(const std::shared_ptr<const StreamedEvent>& event) {
  // A connection may end here, and leaves the set.
  const std::vector<Connection*> all(streams_.begin(), streams_.end());
  for (Connection* const connection : all)
    if (streams_.contains(connection)) connection->send_event(event);
}

void Hub::count_response(unsigned status) {
  if (status < responses_.size()) ++responses_[status];
  wrong_tokens_ = access_.wrong_tokens();
}

void Hub::log(const std::string& line, Instant now) {
  if (!config_.log) return;
  if (!log_lines_.take(now)) {
    ++lines_left_out_;
    return;
  }
  const std::string more =
      lines_left_out_ > 0 ? "; " + std::to_string(lines_left_out_) + " lines before it were left out" : "";
  lines_left_out_ = 0;
  config_.log(printable(line) + more);
}

ServerCounts Hub::counts() const {
  ServerCounts out;
  for (std::size_t i = 0; i < responses_.size(); ++i) out.responses[i] = responses_[i];
  out.connections = connections_;
  out.streams = stream_count_;
  out.events_lost = events_lost_;
  out.wrong_tokens = wrong_tokens_;
  return out;
}

}  // namespace hansa::http::internal
