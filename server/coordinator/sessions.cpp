// Sessions: who speaks, and whether it still lives.
#include <algorithm>

#include "server/coordinator/coordinator.h"
#include "server/coordinator/internal/member.h"
#include "server/coordinator/internal/secure_round.h"

namespace hansa::server {

using messages::RefuseReason;

Coordinator::Verdict Coordinator::on_message(const MessageArrived& event) {
  const std::string client(event.client);
  if (const auto* hello = std::get_if<messages::Hello>(&event.message))
    return on_hello(event.peer, client, *hello);
  Member* m = heard_from(event.peer, event.client, event.session);
  if (m == nullptr) {
    // A farewell from a session that ended already needs no answer.
    if (std::holds_alternative<messages::Bye>(event.message)) return Verdict::discarded;
    return refuse_stranger(event.peer, event.client);
  }
  const bool bulk_belongs = std::holds_alternative<messages::UpdateChunk>(event.message);
  if (event.bulk_bytes > 0 && !bulk_belongs)
    return violation(*m, std::string(messages::type_of(event.message).name) + " came with bulk bytes");

  struct Apply {
    Coordinator& c;
    Member& m;
    const MessageArrived& event;
    Verdict operator()(const messages::Ping& ping) const {
      c.send(m, messages::Pong{});
      c.repeat_lost_task(m, ping.task);
      return Verdict::accepted;
    }
    Verdict operator()(const messages::Pong& pong) const {
      c.repeat_lost_task(m, pong.task);
      return Verdict::accepted;
    }
    Verdict operator()(const messages::Bye& bye) const {
      c.end_session(m, bye.reason.empty() ? "left" : bye.reason);
      return Verdict::accepted;
    }
    Verdict operator()(const messages::Pull& pull) const { return c.on_pull(m, pull); }
    Verdict operator()(const messages::Offer& offer) const { return c.on_offer(m, offer); }
    Verdict operator()(const messages::UpdateChunk& chunk) const {
      return c.on_chunk(m, chunk, event.bulk_bytes);
    }
    Verdict operator()(const messages::Decline& decline) const { return c.on_decline(m, decline); }
    Verdict operator()(const messages::DataReport& data) const {
      c.on_data(m, data);
      return Verdict::accepted;
    }
    Verdict operator()(const messages::KeyAdvert& advert) const { return c.on_advert(m, advert); }
    Verdict operator()(const messages::EncryptedShares& shares) const { return c.on_shares(m, shares); }
    Verdict operator()(const messages::SurvivorSignature& signature) const {
      return c.on_signature(m, signature);
    }
    Verdict operator()(const messages::UnmaskShares& shares) const { return c.on_unmask_shares(m, shares); }
    // Handled above.
    Verdict operator()(const messages::Hello&) const { return Verdict::discarded; }
  };
  return std::visit(Apply{*this, *m, event}, event.message);
}

Coordinator::Verdict Coordinator::on_misdirected(const MessageMisdirected& event) {
  Member* m = heard_from(event.peer, event.client, event.session);
  if (m == nullptr) return refuse_stranger(event.peer, event.client);
  const std::string name(event.type.name);
  return violation(*m,
                   name + (event.bulk_bytes > 0 ? " came with bulk bytes" : " is not for a client to send"));
}

Member* Coordinator::heard_from(PeerId peer, std::string_view client, SessionId session) {
  const auto found = members_.find(client);
  Member* m = found == members_.end() ? nullptr : found->second.get();
  if (m == nullptr || !m->session || m->session->peer != peer || m->session->id != session) return nullptr;
  m->session->last_heard = now_;
  m->session->connected = true;
  if (m->newcomer) settle_newcomer(*m, true);
  return m;
}

Coordinator::Verdict Coordinator::refuse_stranger(PeerId peer, std::string_view client) {
  return refuse(peer, std::string(client), RefuseReason::unknown_session, "the session is not open",
                "say Hello again");
}

Coordinator::Verdict Coordinator::on_hello(PeerId peer, const std::string& client,
                                           const messages::Hello& hello) {
  if (hello.federation != config_.federation)
    return refuse(
        peer, client, RefuseReason::federation,
        "this aggregator runs federation \"" + config_.federation + "\", not \"" + hello.federation + "\"",
        "set [client] federation and [aggregator] address in client.toml to the same federation", 60'000);
  Member& m = member(client);
  const bool another = m.session && m.session->peer != peer && m.session->instance != hello.instance;
  if (!another || !m.session->connected) {
    if (m.session && m.session->peer == peer && m.session->instance == hello.instance &&
        phase_ == Phase::finished)
      return Verdict::discarded;
    open_session(m, peer, hello);
    return Verdict::accepted;
  }
  if (m.newcomer && m.newcomer->peer != peer)
    return refuse(peer, client, RefuseReason::identity_in_use,
                  "other clients present the key of \"" + client + "\"",
                  "give each device a key of its own: hansa keys generate NAME", 10'000);
  m.newcomer = Newcomer{peer, hello, now_ + config_.probe};
  newcomers_until_ = std::min(newcomers_until_, m.newcomer->until);
  send(m, messages::Ping{});
  return Verdict::accepted;
}

void Coordinator::settle_newcomer(Member& m, bool old_one_lives) {
  const Newcomer newcomer = *m.newcomer;
  m.newcomer.reset();
  if (old_one_lives) {
    (void)refuse(newcomer.peer, m.name, RefuseReason::identity_in_use,
                 "another live client presents the key of \"" + m.name + "\"",
                 "give each device a key of its own: hansa keys generate NAME", 10'000);
    return;
  }
  open_session(m, newcomer.peer, newcomer.hello);
}

void Coordinator::open_session(Member& m, PeerId peer, const messages::Hello& hello) {
  const bool fresh = !m.session || m.session->instance != hello.instance;
  m.newcomer.reset();
  SessionId id;
  while (id.value == 0) id = SessionId(session_numbers_.next());
  m.session = Session{peer, id, hello.instance, now_, now_, true, {}};
  messages::Welcome welcome;
  welcome.client = m.name;
  welcome.run = config_.run;
  welcome.lease_ms = static_cast<std::uint32_t>(config_.lease / std::chrono::milliseconds(1));
  welcome.chunk_bytes = config_.chunk_bytes;
  send(m, welcome);
  if (fresh) {
    if (hello.data.examples > 0)
      log(Log::Level::info,
          m.name + " connected with " + std::to_string(hello.data.examples) + " examples" +
              (hello.data.new_examples > 0 ? ", " + std::to_string(hello.data.new_examples) + " of them new"
                                           : ""));
    else
      log(Log::Level::warning,
          m.name + " connected and cannot train: " +
              (hello.data.problem.empty() ? std::string("it has no examples") : hello.data.problem));
    m.problem = hello.data.problem;  // just told
  }
  on_data(m, hello.data);
  if (config_.secure_sums) {
    m.certificate = config_.secure_sums->certificate(m.name);
  }
  if (phase_ == Phase::finished) {
    // Finished sends a client home for good: only when the rounds are done.
    if (finished_why_ == Finish::Why::all_rounds) send(m, messages::Finished{last_committed_, model_});
    else send(m, messages::Bye{"the aggregator stops"});
    return;
  }
  release_upload(m);
  // Keys live in a client's memory only.
  if (fresh && secure_ && m.place && secure_->sum.has_keys_of(m.name)) {
    m.left_sum = true;
    if (phase_ == Phase::in_round) drop_from_round(m, "it was restarted in the middle of a secure sum");
  }
  if (phase_ == Phase::unmasking) ask_to_unmask(m);
  if (phase_ == Phase::in_round && m.place) {
    apply_to_round(round::MemberReturned{*m.place});
    // The call above may have closed the round.
    if (phase_ == Phase::in_round && m.place &&
        round_->members()[m.place->value].state == round::MemberState::pending)
      send_task(m);
  }
}

void Coordinator::on_data(Member& m, const messages::DataReport& data) {
  if (!data.notice.empty()) log(Log::Level::warning, m.name + ": " + data.notice);
  if (!data.problem.empty() && data.problem != m.problem)
    log(Log::Level::warning,
        m.name + (data.examples > 0 ? " has no more data coming: " : " cannot train: ") + data.problem);
  else if (data.examples > 0 && m.examples == 0 && !m.problem.empty())
    log(Log::Level::info, m.name + " can train now, on " + std::to_string(data.examples) + " examples");
  m.examples = data.examples;
  m.problem = data.problem;
}

void Coordinator::end_session(Member& m, const std::string& why) {
  if (!m.session) return;
  m.session.reset();
  log(Log::Level::info, m.name + " is gone: " + why);
  release_upload(m);
  if (m.newcomer) settle_newcomer(m, false);
  if (phase_ == Phase::in_round && m.place && !m.session) apply_to_round(round::MemberLost{*m.place});
  grant_waiting();
}

Coordinator::Verdict Coordinator::refuse(PeerId peer, const std::string& client, RefuseReason reason,
                                         std::string what, std::string hint, std::uint32_t retry_after_ms) {
  if (reason != RefuseReason::unknown_session)
    log(Log::Level::warning, "refused " + client + " (" + std::string(messages::name(reason)) + "): " + what);
  effects_->emplace_back(
      Send{peer, SessionId{}, messages::Refuse{reason, std::move(what), std::move(hint), retry_after_ms}});
  return Verdict::rejected;
}

// A session that breaks the protocol ends; the client may say Hello again. Its place in the round stays.
Coordinator::Verdict Coordinator::violation(Member& m, const std::string& what) {
  const PeerId peer = m.session->peer;
  (void)refuse(peer, m.name, RefuseReason::out_of_order, what, "see docs/protocol.md", 1'000);
  end_session(m, "it broke the protocol");
  return Verdict::rejected;
}

void Coordinator::check_leases() {
  newcomers_until_ = Instant::max();
  for (auto& [name, m] : members_) {
    if (m->newcomer && now_ >= m->newcomer->until) settle_newcomer(*m, false);
    if (m->newcomer) newcomers_until_ = std::min(newcomers_until_, m->newcomer->until);
    if (!m->session) continue;
    Session& s = *m->session;
    if (now_ - s.last_heard >= config_.lease) {
      end_session(*m, "silent for " + std::to_string(config_.lease / std::chrono::seconds(1)) + " s");
    } else if (!s.connected && now_ - s.lost_at >= config_.absence) {
      end_session(*m, "its connection was lost");
    } else if (s.connected && now_ - std::max(s.last_heard, s.pinged_at) >= config_.ping) {
      s.pinged_at = now_;
      send(*m, messages::Ping{});
    }
  }
}

}  // namespace hansa::server
