// How much a client may ask of the aggregator beyond its work in rounds. A client that exceeds a limit is disconnected;
// as its limits go on filling only slowly, it gets no more by connecting again.
//
// The limits are far above what hansa-client sends. No clock or I/O; one thread.
#pragma once
#include <cstdint>
#include <map>
#include <string>
#include <string_view>

#include "common/time.h"
#include "common/token_bucket.h"

namespace hansa::server {

class Conduct {
 public:
  // What a message is counted as.
  enum class Kind : std::uint8_t {
    hello,
    talk,  // Ping, Pong, DataReport: answered or logged at once
    pull,
    fault,  // in addition: it was rejected or discarded
    malformed,
  };
  // False: the client has exceeded the limit, and must be disconnected.
  [[nodiscard]] bool allows(std::string_view client, Kind kind, Instant now);
  [[nodiscard]] static const char* excess(Kind kind);  // "it sends Hello too often"
  void forget(std::string_view client);

 private:
  struct Limits {
    TokenBucket hello{{30, 1}};
    TokenBucket talk{{200, 20}};
    TokenBucket pull{{2'000, 1'000}};
    TokenBucket fault{{1'000, 50}};
    TokenBucket malformed{{10, 0.2}};
  };
  std::map<std::string, Limits, std::less<>> limits_;  // by client; as many as are admitted
};

}  // namespace hansa::server
