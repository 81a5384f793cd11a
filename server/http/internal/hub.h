// What all connections of a server have in common. Everything runs on the connections' thread, unless it says otherwise.
#pragma once
#include <array>
#include <atomic>
#include <cstdint>
#include <list>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "common/token_bucket.h"
#include "server/http/internal/access.h"
#include "server/http/internal/event_queue.h"
#include "server/http/internal/worker.h"
#include "server/http/server.h"

namespace hansa::http::internal {

// A connection, as the hub sees it.
class Connection {
 public:
  virtual ~Connection() = default;
  virtual void close() = 0;
  virtual void send_event(const std::shared_ptr<const StreamedEvent>& event) = 0;  // of a stream
};

class Hub {
 public:
  Hub(ServerConfig config, Handler& handler);

  [[nodiscard]] const ServerConfig& config() const { return config_; }
  [[nodiscard]] const Limits& limits() const { return config_.limits; }
  [[nodiscard]] Access& access() { return access_; }
  [[nodiscard]] Worker& worker() { return *worker_; }
  // Waits for the worker's job. Nothing may be posted after it.
  void end_worker() { worker_.reset(); }

  // On the worker's thread: the handler's response; 500 if it throws.
  [[nodiscard]] Response call_handler(const Request& request) const;

  // Whether one more connection from this address may stay. If all places are taken, the connection that has been idle for
  // the longest time is closed.
  [[nodiscard]] bool has_room_for(const std::string& address);
  void add(Connection& connection, const std::string& address);
  void remove(Connection& connection, const std::string& address);
  // Waits for a request, or has one.
  void set_idle(Connection& connection);
  void set_busy(Connection& connection);

  // False: there are too many streams.
  [[nodiscard]] bool add_stream(Connection& connection);
  void send_newest(Connection& connection) const;  // of the kept events
  void remove_stream(Connection& connection);
  void send(std::string_view name, const std::string& json);
  void send_comment();  // to all streams, so that proxies keep them open

  void count_response(unsigned status);
  void count_lost(std::uint64_t events) { events_lost_ += events; }
  // At most 20 lines a minute; the next one then has the number of those that were left out.
  void log(const std::string& line, Instant now);
  [[nodiscard]] ServerCounts counts() const;  // thread-safe

 private:
  using Places = std::list<Connection*>;
  void send_to_all(const std::shared_ptr<const StreamedEvent>& event);

  const ServerConfig config_;
  Handler& handler_;
  Access access_;
  std::map<std::string, std::uint32_t, std::less<>> connections_of_;  // by address
  std::map<Connection*, Places::iterator> idle_place_;
  Places idle_;  // the longest idle one first
  std::set<Connection*> streams_;
  std::map<std::string, std::shared_ptr<const StreamedEvent>, std::less<>> newest_;  // kept events
  std::uint64_t next_event_ = 1;
  TokenBucket log_lines_{{20, 20.0 / 60}};
  std::uint64_t lines_left_out_ = 0;
  std::array<std::atomic<std::uint64_t>, 600> responses_{};
  std::atomic<std::uint32_t> connections_ = 0, stream_count_ = 0;
  std::atomic<std::uint64_t> events_lost_ = 0, wrong_tokens_ = 0;
  std::unique_ptr<Worker> worker_;
};

}  // namespace hansa::http::internal
