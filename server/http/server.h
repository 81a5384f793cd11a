// An HTTP/1.1 server for the dashboard, the API and the metrics.
//
// One thread handles all connections; another one, the worker, calls the handler. Neither waits for the other, and
// publish() waits for neither, so that no reader can delay the caller's thread. What every request must fulfil is in
// docs/dashboard.md. The page (assets.h) and the event stream (GET /api/v1/events) are answered without the handler.
#pragma once
#include <array>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/error.h"
#include "common/time.h"
#include "server/http/assets.h"
#include "server/http/message.h"

namespace hansa::http {

struct Limits {
  std::uint32_t connections_max = 512;
  // From one address. Loopback addresses and those behind a proxy are exempt, because there all have the same one.
  std::uint32_t connections_per_address_max = 64;
  std::uint32_t streams_max = 256;  // event streams, as part of the connections
  std::size_t target_bytes_max = 2048;
  std::size_t header_bytes_max = 16 << 10;
  std::size_t body_bytes_max = 64 << 10;
  std::size_t queued_requests_max = 64;  // that wait for the worker; more are answered with 503
  std::size_t stream_events_max = 256;  // that wait in a stream; more are lost
  std::size_t stream_bytes_max = 256 << 10;
  Duration request_time_max = std::chrono::seconds(10);  // from its first byte to its last
  Duration idle_time_max = std::chrono::seconds(60);  // of a connection between two requests
  // In which a reader must take what is sent, and for a response a second more for each response_bytes_per_second_min of it.
  Duration write_time_max = std::chrono::seconds(30);
  double response_bytes_per_second_min = 16 << 10;
  // Events are sent to the streams at most this often, all that came in between at once: a write for each event and reader
  // would cost more than the events.
  Duration event_interval = std::chrono::milliseconds(400);
  Duration comment_interval = std::chrono::seconds(15);  // a comment line in a silent stream
  // Wrong tokens: after this many, an address (or all together) may try one each `token_interval`.
  std::uint32_t wrong_tokens_per_address = 10;
  std::uint32_t wrong_tokens = 100;
  Duration token_interval = std::chrono::seconds(6);
};

struct TlsFiles {
  // Both are read again for new connections when they have changed. Files that do not fit together are logged, and the
  // earlier certificate stays.
  std::filesystem::path certificate;  // PEM, with its chain
  std::filesystem::path key;  // PEM
};

struct ServerConfig {
  std::string listen = "127.0.0.1:0";  // ADDRESS:PORT or [ADDRESS]:PORT; the port 0 means a free one
  std::string token;  // of those who may act
  bool token_for_reading = false;  // the API and the metrics need the token for GET, too
  std::vector<std::string> names;  // accepted in Host, in addition to addresses and "localhost"
  std::optional<TlsFiles> tls;
  bool behind_proxy = false;  // the proxy's address is not the reader's
  // Events of which a new stream gets the newest one at once, and a slow one only the newest.
  std::vector<std::string> kept_events = {"live"};
  const Asset* (*find_asset)(std::string_view path) = http::find_asset;  // the page
  Limits limits = {};
  // Lines for the log; called on the connections' thread, at most 20 times a minute.
  std::function<void(const std::string&)> log = {};
};

struct ServerCounts {
  std::array<std::uint64_t, 600> responses{};  // by status
  std::uint32_t connections = 0;
  std::uint32_t streams = 0;
  std::uint64_t events_lost = 0;
  std::uint64_t wrong_tokens = 0;
};

class Server {
 public:
  // Fails with `network` if the address cannot be bound, with `usage` if it or the TLS files cannot be used. The handler
  // outlives the server.
  [[nodiscard]] static Result<std::unique_ptr<Server>> open(ServerConfig config, Handler& handler);
  virtual ~Server() = default;  // closes all connections; waits for a handler's call

  // Sends an event to all streams. event: lower-case letters. json: one line. Thread-safe; never blocks: with more than
  // 1,024 events on their way to the streams (within Limits::event_interval), the event is lost.
  void publish(std::string_view event, std::string json) {
    publish(event, [json = std::move(json)] { return json; });
  }
  // The same, with a text that is made on the connections' thread: the caller's need not format it.
  virtual void publish(std::string_view event, std::function<std::string()> json) = 0;
  [[nodiscard]] virtual std::string address() const = 0;  // "127.0.0.1:7471", with the real port
  [[nodiscard]] virtual ServerCounts counts() const = 0;  // thread-safe
};

}  // namespace hansa::http
