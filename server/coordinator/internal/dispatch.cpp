#include "server/coordinator/internal/dispatch.h"

#include <algorithm>

#include "common/text.h"

namespace hansa::server {

using messages::RefuseReason;

namespace {

template <class... Kinds>
bool is_one_of(const Event& event) {
  return (std::holds_alternative<Kinds>(event) || ...);
}

}  // namespace

Verdict Dispatch::apply(const Event& event) {
  // A federation that is over still answers its clients, and those that may not connect any more lose their sessions.
  if (stage_.phase() == Phase::finished &&
      !is_one_of<MessageArrived, MessageMisdirected, MessageMalformed, PeerGone, AdmissionChanged, TickEvent>(
          event))
    return Verdict::discarded;
  return std::visit([this](const auto& e) { return on(e); }, event);
}

bool Dispatch::allow(PeerId peer, const std::string& client, Conduct::Kind kind) {
  if (shared_.conduct.allows(client, kind, turn_.now)) return true;
  const char* const excess = Conduct::excess(kind);
  turn_.warn_about(client, excess, LogEvent::client_disconnected, client + " is disconnected: " + excess);
  if (const Session* session = shared_.sessions.find(client); session != nullptr && session->peer == peer) {
    shared_.sessions.end(client, excess, turn_, notices_);
    settle();
  }
  turn_.effects.emplace_back(Disconnect{peer});
  return false;
}

Verdict Dispatch::on(const MessageArrived& event) {
  const std::string client(event.client);
  const auto kind = [&]() -> std::optional<Conduct::Kind> {
    if (std::holds_alternative<messages::Hello>(event.message)) return Conduct::Kind::hello;
    if (std::holds_alternative<messages::Pull>(event.message)) return Conduct::Kind::pull;
    if (std::holds_alternative<messages::Ping>(event.message) ||
        std::holds_alternative<messages::Pong>(event.message) ||
        std::holds_alternative<messages::DataReport>(event.message))
      return Conduct::Kind::talk;
    return std::nullopt;
  }();
  if (kind && !allow(event.peer, client, *kind)) return Verdict::rejected;
  const Verdict verdict = on_message(event);
  if (verdict != Verdict::accepted) (void)allow(event.peer, client, Conduct::Kind::fault);
  return verdict;
}

Verdict Dispatch::on_message(const MessageArrived& event) {
  if (const auto* hello = std::get_if<messages::Hello>(&event.message)) return on_hello(event, *hello);
  const std::string client(event.client);
  if (!shared_.sessions.on_heard(event.peer, client, event.session, turn_)) {
    // A Bye from a session that has ended needs no answer.
    if (std::holds_alternative<messages::Bye>(event.message)) return Verdict::discarded;
    return refuse_stranger(event.peer, client);
  }
  if (event.bulk_bytes > 0 && !std::holds_alternative<messages::UpdateChunk>(event.message))
    return end_for_violation(event.peer, client,
                             std::string(messages::type_of(event.message).name) + " came with bulk bytes");
  const Reply reply = in_session(client, event);
  if (!reply.broken_rule.empty()) return end_for_violation(event.peer, client, reply.broken_rule);
  return reply.verdict;
}

Reply Dispatch::in_session(const std::string& client, const MessageArrived& event) {
  struct Visit {
    Dispatch& d;
    const std::string& client;
    const MessageArrived& event;
    Reply operator()(const messages::Hello&) const { return Verdict::discarded; }  // handled before
    Reply operator()(const messages::Ping& ping) const {
      d.turn_.send(client, messages::Pong{});
      d.stage_.on_current_task(client, ping.task, d.turn_);
      return Verdict::accepted;
    }
    Reply operator()(const messages::Pong& pong) const {
      d.stage_.on_current_task(client, pong.task, d.turn_);
      return Verdict::accepted;
    }
    Reply operator()(const messages::Bye&) const {
      d.stage_.on_left(client, d.turn_);
      if (d.stage_.phase() == Phase::finished) d.shared_.sessions.forget(client);
      else d.shared_.sessions.end(client, "it left", d.turn_, d.notices_);
      d.settle();
      return Verdict::accepted;
    }
    Reply operator()(const messages::DataReport& data) const {
      d.on_data(client, data);
      return Verdict::accepted;
    }
    Reply operator()(const messages::Pull& m) const { return d.stage_.on_pull(client, m, d.turn_); }
    Reply operator()(const messages::Offer& m) const { return d.stage_.on_offer(client, m, d.turn_); }
    Reply operator()(const messages::UpdateChunk& m) const {
      return d.stage_.on_chunk(client, m, event.bulk_bytes, d.turn_);
    }
    Reply operator()(const messages::Decline& m) const { return d.stage_.on_decline(client, m, d.turn_); }
    Reply operator()(const messages::KeyAdvert& m) const { return d.stage_.on_advert(client, m, d.turn_); }
    Reply operator()(const messages::EncryptedShares& m) const {
      return d.stage_.on_shares(client, m, d.turn_);
    }
    Reply operator()(const messages::SurvivorSignature& m) const {
      return d.stage_.on_signature(client, m, d.turn_);
    }
    Reply operator()(const messages::UnmaskShares& m) const {
      return d.stage_.on_unmask_shares(client, m, d.turn_);
    }
  };
  return std::visit(Visit{*this, client, event}, event.message);
}

Verdict Dispatch::on(const MessageMisdirected& event) {
  const std::string client(event.client);
  if (!allow(event.peer, client, Conduct::Kind::malformed)) return Verdict::rejected;
  if (!shared_.sessions.on_heard(event.peer, client, event.session, turn_))
    return refuse_stranger(event.peer, client);
  const std::string name(event.type.name);
  return end_for_violation(
      event.peer, client,
      name + (event.bulk_bytes > 0 ? " came with bulk bytes" : " is not for a client to send"));
}

Verdict Dispatch::on(const MessageMalformed& event) {
  const std::string client(event.client);
  if (!allow(event.peer, client, Conduct::Kind::malformed)) return Verdict::rejected;
  const auto reason =
      event.error.code == ErrorCode::refused ? RefuseReason::version : RefuseReason::malformed;
  return turn_.refuse(event.peer, client, reason, "the message " + event.error.what,
                      "install the aggregator's version of hansa-client", 30'000);
}

Verdict Dispatch::on(const PeerGone& event) {
  const bool known = shared_.sessions.on_peer_gone(event.peer, turn_, notices_);
  settle();
  return known ? Verdict::accepted : Verdict::discarded;
}

Verdict Dispatch::on(const CertificateFound& event) {
  if (shared_.clients.find(event.client) == nullptr) return Verdict::discarded;
  shared_.clients.on_certificate(event.client, event.certificate);
  if (!event.certificate) turn_away(event.client);
  return Verdict::accepted;
}

// The device reports why, and comes back by itself: its key may be certified by then. The operator's log names it.
void Dispatch::turn_away(const std::string& client) {
  constexpr std::uint32_t retry_after_ms = 20'000;
  const Session* session = shared_.sessions.find(client);
  if (session == nullptr) return;
  const std::string& federation = shared_.config.settings.federation;
  turn_.effects.emplace_back(
      Send{session->peer, SessionId{},
           messages::Refuse{RefuseReason::federation,
                            "not certified for federation " + federation + ", or its certificate has expired",
                            "the operator runs \"hansa keys certify --root ROOT.key --federation " +
                                federation + " " + client + ".pub\" in the folder of admitted clients",
                            retry_after_ms}});
  shared_.sessions.forget(client);
  stage_.on_session_ended(client, turn_);
  stage_.on_removed(client, "it has no valid certificate", turn_);
}

Verdict Dispatch::on(const AdmissionChanged& event) {
  shared_.config.settings.admitted = event.admitted;
  for (const std::string& client : event.admitted) shared_.removed.erase(client);
  for (const std::string& client : event.removed) {
    // A client with a new key is admitted, and ends only its connections with the old one. It is the same client: a change
    // of its key must not make its faults forgotten.
    const bool has_new_key = std::ranges::binary_search(event.admitted, client);
    if (!has_new_key) shared_.removed.insert(client);
    // A second connection that waits takes over the session, and ends too.
    while (shared_.sessions.find(client) != nullptr)
      shared_.sessions.end(client, has_new_key ? "its key was changed" : "the operator removed its key",
                           turn_, notices_);
    settle();
    stage_.on_removed(client, has_new_key ? "its key was changed" : "the operator removed it", turn_);
    if (!has_new_key) shared_.conduct.forget(client);
    shared_.set_aside.forget(client);
    turn_.effects.emplace_back(DisconnectClient{client});
  }
  if (!shared_.exchanges->needs_certificates()) return Verdict::accepted;
  // A certificate may have been replaced or taken away.
  shared_.sessions.for_each([&](const std::string& client, const Session&) {
    turn_.effects.emplace_back(FindCertificate{client});
  });
  return Verdict::accepted;
}

Verdict Dispatch::on(const FaultsForgiven& event) {
  Verdict out = Verdict::discarded;
  for (const std::string& client : event.clients) {
    if (!shared_.reliability.forgive(client)) continue;
    out = Verdict::accepted;
    turn_.log({Log::Level::info,
               client + " may take part in cohorts again: the operator released it",
               client,
               {},
               LogEvent::client_returned});
  }
  return out;
}

Verdict Dispatch::on(const TickEvent&) {
  shared_.sessions.on_tick(turn_, notices_);
  settle();
  stage_.on_tick(turn_);
  return Verdict::accepted;
}

Verdict Dispatch::on_hello(const MessageArrived& event, const messages::Hello& hello) {
  const std::string client(event.client);
  if (shared_.removed.contains(client)) {  // it was sent before its connection ended
    turn_.effects.emplace_back(DisconnectClient{client});
    return Verdict::rejected;
  }
  const std::string& federation = shared_.config.settings.federation;
  if (hello.federation != federation)
    return turn_.refuse(
        event.peer, client, RefuseReason::federation,
        "this aggregator runs federation \"" + federation + "\", not \"" + printable(hello.federation) + "\"",
        "set [client] federation and [aggregator] address in client.toml to the same federation", 60'000);
  if (stage_.phase() == Phase::finished && shared_.sessions.is_repeated(event.peer, client, hello))
    return Verdict::discarded;
  const Verdict verdict = shared_.sessions.on_hello(event.peer, client, hello, turn_, notices_);
  settle();
  return verdict;
}

Verdict Dispatch::refuse_stranger(PeerId peer, const std::string& client) {
  return turn_.refuse(peer, client, RefuseReason::unknown_session, "the session is not open",
                      "say Hello again");
}

Verdict Dispatch::end_for_violation(PeerId peer, const std::string& client, const std::string& what) {
  (void)turn_.refuse(peer, client, RefuseReason::out_of_order, what, "see docs/protocol.md", 1'000);
  shared_.sessions.end(client, "it broke the protocol", turn_, notices_);
  settle();
  return Verdict::rejected;
}

void Dispatch::settle() {
  for (const SessionNotice& notice : std::exchange(notices_, {})) {
    if (const auto* opened = std::get_if<SessionOpened>(&notice)) on_opened(*opened);
    else stage_.on_session_ended(std::get<SessionEnded>(notice).client, turn_);
  }
}

void Dispatch::on_data(const std::string& client, const messages::DataReport& data) {
  const SetAside::Held* held = shared_.set_aside.find(client, turn_.now);
  const bool had_failed = held != nullptr && held->why == SetAside::Why::task_failed;
  if (shared_.clients.on_data(client, data, turn_) &&
      shared_.set_aside.on_report(client, data.new_examples, turn_.now) && had_failed)
    turn_.inform_about(client, "asked again", LogEvent::client_returned,
                       client + " is asked again, because its data report changed");
}

void Dispatch::on_opened(const SessionOpened& opened) {
  if (opened.process == Process::fresh) {
    shared_.clients.on_connected(opened.client, opened.data, turn_);
    (void)shared_.set_aside.on_restarted(opened.client, turn_.now);
  }
  // A client has not seen the contract when it says Hello. It is selected after the report that it sends once it has
  // compared its data.
  if (shared_.config.settings.contract) shared_.clients.on_data(opened.client, {}, turn_);
  else on_data(opened.client, opened.data);
  if (shared_.exchanges->needs_certificates()) {
    // The certificate may have been revoked. The client takes part in no round before the answer.
    shared_.clients.on_certificate(opened.client, std::nullopt);
    turn_.effects.emplace_back(FindCertificate{opened.client});
  }
  for (const TaskId task : shared_.clients.last_counted(opened.client))
    turn_.send(opened.client, messages::Receipt{task, messages::Verdict::counted, {}});
  stage_.on_session_opened(opened, turn_);
}

}  // namespace hansa::server
