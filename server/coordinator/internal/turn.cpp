#include "server/coordinator/internal/turn.h"

#include "server/coordinator/internal/sessions.h"

namespace hansa::server {

void Turn::send(std::string_view client, messages::ToClient message) {
  const Session* session = sessions_.find(client);
  if (session == nullptr || !session->connected) return;
  effects.emplace_back(Send{session->peer, session->id, std::move(message)});
}

void Turn::send_held(std::string_view client, messages::ToClient message,
                     std::shared_ptr<const std::vector<std::byte>> bulk) {
  const Session* session = sessions_.find(client);
  if (session == nullptr || !session->connected) return;
  effects.emplace_back(SendHeld{session->peer, session->id, std::move(message), std::move(bulk)});
}

Verdict Turn::refuse(PeerId peer, const std::string& client, messages::RefuseReason reason, std::string what,
                     std::string hint, std::uint32_t retry_after_ms) {
  if (reason != messages::RefuseReason::unknown_session)
    warn_about(client, "refused", LogEvent::client_refused,
               "refused " + client + " (" + std::string(messages::name(reason)) + "): " + what);
  effects.emplace_back(
      Send{peer, SessionId{}, messages::Refuse{reason, std::move(what), std::move(hint), retry_after_ms}});
  return Verdict::rejected;
}

}  // namespace hansa::server
