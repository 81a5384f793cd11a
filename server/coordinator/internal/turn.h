// One call to Coordinator::apply: the time, and the effects that it appends.
#pragma once
#include <cstddef>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "common/time.h"
#include "protocols/messages/messages.h"
#include "server/coordinator/effects.h"
#include "server/coordinator/verdict.h"

namespace hansa::server {

class Sessions;

class Turn {
 public:
  // sessions: where send() looks up clients.
  Turn(Instant moment, std::vector<Effect>& to, const Sessions& sessions)
      : now(moment), effects(to), sessions_(sessions) {}

  // Sends nothing if the client has no connected session.
  void send(std::string_view client, messages::ToClient message);
  // The same, with bulk that is sent in full.
  void send_held(std::string_view client, messages::ToClient message,
                 std::shared_ptr<const std::vector<std::byte>> bulk);
  void log(Log line) { effects.emplace_back(std::move(line)); }
  // Lines that a client causes; `about` is a literal that says what they have in common.
  void warn_about(std::string client, std::string_view about, LogEvent event, std::string text) {
    log({Log::Level::warning, std::move(text), std::move(client), about, event});
  }
  void inform_about(std::string client, std::string_view about, LogEvent event, std::string text) {
    log({Log::Level::info, std::move(text), std::move(client), about, event});
  }
  void warn(std::string text, LogEvent event = LogEvent::none) {
    log({Log::Level::warning, std::move(text), {}, {}, event});
  }
  void inform(std::string text, LogEvent event = LogEvent::none) {
    log({Log::Level::info, std::move(text), {}, {}, event});
  }
  // Answers a peer outside of a session, and logs the refusal (except `unknown_session`, which is routine).
  Verdict refuse(PeerId peer, const std::string& client, messages::RefuseReason reason, std::string what,
                 std::string hint, std::uint32_t retry_after_ms = 0);

  const Instant now;
  std::vector<Effect>& effects;

 private:
  const Sessions& sessions_;
};

}  // namespace hansa::server
