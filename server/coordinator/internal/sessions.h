// Sessions: which peer represents a client, and whether it is still alive. A pure state machine.
//
//   none -Hello-> open -silence, lost connection, Bye, violation-> none
//   open -Hello on another connection-> open, and the newcomer waits: the old session is pinged. If it answers, the
//   newcomer is refused; if it does not answer in time or ends, the newcomer's session takes its place.
//
// Every state x event pair: docs/round.md. Changes that other machines must know are appended as notices. No I/O, clock
// or thread.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "common/identifiers.h"
#include "common/random.h"
#include "common/time.h"
#include "protocols/messages/messages.h"
#include "server/coordinator/internal/turn.h"

namespace hansa::server {

struct SessionConfig {
  std::string run;  // named in Welcome
  std::uint32_t chunk_bytes = 256 * 1024;  // named in Welcome
  Duration lease = std::chrono::seconds(30);  // silence after which a session ends
  Duration absence = std::chrono::seconds(5);  // time without a connection after which a session ends
  Duration ping = std::chrono::seconds(2);  // silence after which a client is sent a Ping
  Duration probe = std::chrono::seconds(2);  // time the old session has to answer when a newcomer appears
  std::optional<DataContract> contract = {};  // named in Welcome
};

struct Session {
  PeerId peer;
  SessionId id;
  std::uint64_t instance = 0;  // of the client's process
  Instant last_heard;
  Instant pinged_at;
  bool connected = true;  // false: a send found no connection, at lost_at
  Instant lost_at;
};

// The client's process: the one of its previous session, or another.
enum class Process : std::uint8_t { same, fresh };

struct SessionOpened {
  std::string client;
  Process process = Process::fresh;
  messages::DataReport data;
};
struct SessionEnded {
  std::string client;
};
using SessionNotice = std::variant<SessionOpened, SessionEnded>;

class Sessions {
 public:
  using Notices = std::vector<SessionNotice>;

  // seed: different at every start of the aggregator, so that session numbers never repeat.
  Sessions(SessionConfig config, std::uint64_t seed);

  // A Hello for this federation. Rejected: a third process presents the client's key.
  Verdict on_hello(PeerId peer, const std::string& client, const messages::Hello& hello, Turn& turn,
                   Notices& notices);
  // True if the message belongs to the client's open session. Then the session is alive: its lease is renewed, and a
  // waiting newcomer is refused.
  [[nodiscard]] bool on_heard(PeerId peer, std::string_view client, SessionId session, Turn& turn);
  // A message could not be sent to the peer. False if no connected session has this peer.
  bool on_peer_gone(PeerId peer, Turn& turn, Notices& notices);
  void on_tick(Turn& turn, Notices& notices);
  // Ends the client's session, if it has one.
  void end(std::string_view client, const std::string& why, Turn& turn, Notices& notices);

  // Ends the session of a client that was dismissed, without a notice and without a line in the log.
  void forget(std::string_view client);

  [[nodiscard]] const Session* find(std::string_view client) const;
  [[nodiscard]] bool connected(std::string_view client) const;
  // True if the client's open session already has this peer and instance, so that the Hello is a repetition.
  [[nodiscard]] bool is_repeated(PeerId peer, std::string_view client, const messages::Hello& hello) const;
  [[nodiscard]] std::size_t open() const { return open_; }
  // The moment at which a newcomer's wait ends; Instant::max() without one.
  [[nodiscard]] Instant next_tick() const { return newcomers_until_; }
  // In the order of the clients' names.
  void for_each(const std::function<void(const std::string& client, const Session& session)>& visit) const;

 private:
  // A second connection with the same key, while the first is pinged.
  struct Newcomer {
    PeerId peer;
    messages::Hello hello;
    Instant until;
  };
  struct Entry {
    std::optional<Session> session;
    std::optional<Newcomer> newcomer;
  };
  using Entries = std::map<std::string, Entry, std::less<>>;

  void open_session(Entries::value_type& entry, PeerId peer, const messages::Hello& hello, Turn& turn,
                    Notices& notices);
  void accept_newcomer(Entries::value_type& entry, Turn& turn, Notices& notices);
  void refuse_newcomer(Entries::value_type& entry, Turn& turn);
  void end_session(Entries::value_type& entry, const std::string& why, Turn& turn, Notices& notices);

  SessionConfig config_;
  Random numbers_;
  Entries entries_;
  std::size_t open_ = 0;
  Instant newcomers_until_ = Instant::max();
};

}  // namespace hansa::server
