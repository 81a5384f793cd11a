#include "server/coordinator/internal/sessions.h"

#include <algorithm>

namespace hansa::server {
namespace {

constexpr const char* one_key_each = "give each device a key of its own: hansa keys generate NAME";

}  // namespace

Sessions::Sessions(SessionConfig config, std::uint64_t seed) : config_(std::move(config)), numbers_(seed) {}

Verdict Sessions::on_hello(PeerId peer, const std::string& client, const messages::Hello& hello, Turn& turn,
                           Notices& notices) {
  auto& entry = *entries_.try_emplace(client).first;
  auto& [session, newcomer] = entry.second;
  const bool another = session && session->peer != peer && session->instance != hello.instance;
  if (!another || !session->connected) {
    open_session(entry, peer, hello, turn, notices);
    return Verdict::accepted;
  }
  if (newcomer && newcomer->peer != peer)
    return turn.refuse(peer, client, messages::RefuseReason::identity_in_use,
                       "other clients present the key of \"" + client + "\"", one_key_each, 10'000);
  newcomer = Newcomer{peer, hello, turn.now + config_.probe};
  newcomers_until_ = std::min(newcomers_until_, newcomer->until);
  turn.send(client, messages::Ping{});
  return Verdict::accepted;
}

void Sessions::open_session(Entries::value_type& entry, PeerId peer, const messages::Hello& hello, Turn& turn,
                            Notices& notices) {
  auto& [client, state] = entry;
  const bool same = state.session && state.session->instance == hello.instance;
  if (!state.session) ++open_;
  SessionId id;
  while (id.value == 0) id = SessionId(numbers_.next());
  messages::DataReport data = hello.data;
  state.session = Session{peer, id, hello.instance, turn.now, turn.now, true, {}};
  state.newcomer.reset();
  messages::Welcome welcome;
  welcome.client = client;
  welcome.run = config_.run;
  welcome.lease_ms = static_cast<std::uint32_t>(config_.lease / std::chrono::milliseconds(1));
  welcome.chunk_bytes = config_.chunk_bytes;
  welcome.contract = config_.contract;
  turn.send(client, welcome);
  notices.emplace_back(SessionOpened{client, same ? Process::same : Process::fresh, std::move(data)});
}

bool Sessions::on_heard(PeerId peer, std::string_view client, SessionId id, Turn& turn) {
  const auto found = entries_.find(client);
  if (found == entries_.end() || !found->second.session) return false;
  Session& session = *found->second.session;
  if (session.peer != peer || session.id != id) return false;
  session.last_heard = turn.now;
  session.connected = true;
  if (found->second.newcomer) refuse_newcomer(*found, turn);
  return true;
}

bool Sessions::on_peer_gone(PeerId peer, Turn& turn, Notices& notices) {
  for (auto& entry : entries_) {
    auto& session = entry.second.session;
    if (!session || session->peer != peer || !session->connected) continue;
    session->connected = false;
    session->lost_at = turn.now;
    if (entry.second.newcomer) accept_newcomer(entry, turn, notices);
    return true;
  }
  return false;
}

void Sessions::on_tick(Turn& turn, Notices& notices) {
  newcomers_until_ = Instant::max();
  for (auto& entry : entries_) {
    auto& [session, newcomer] = entry.second;
    if (newcomer && turn.now >= newcomer->until) accept_newcomer(entry, turn, notices);
    if (newcomer) newcomers_until_ = std::min(newcomers_until_, newcomer->until);
    if (!session) continue;
    if (turn.now - session->last_heard >= config_.lease) {
      end_session(entry, "silent for " + std::to_string(config_.lease / std::chrono::seconds(1)) + " s", turn,
                  notices);
    } else if (!session->connected && turn.now - session->lost_at >= config_.absence) {
      end_session(entry, "its connection was lost", turn, notices);
    } else if (session->connected &&
               turn.now - std::max(session->last_heard, session->pinged_at) >= config_.ping) {
      session->pinged_at = turn.now;
      turn.send(entry.first, messages::Ping{});
    }
  }
}

void Sessions::end(std::string_view client, const std::string& why, Turn& turn, Notices& notices) {
  if (const auto found = entries_.find(client); found != entries_.end() && found->second.session)
    end_session(*found, why, turn, notices);
}

void Sessions::forget(std::string_view client) {
  const auto found = entries_.find(client);
  if (found == entries_.end() || !found->second.session) return;
  entries_.erase(found);
  --open_;
}

void Sessions::end_session(Entries::value_type& entry, const std::string& why, Turn& turn, Notices& notices) {
  turn.inform_about(entry.first, "gone", LogEvent::client_lost, entry.first + " is gone: " + why);
  // A waiting newcomer takes over the session, so that the other machines do not see it end.
  if (entry.second.newcomer) return accept_newcomer(entry, turn, notices);
  entry.second.session.reset();
  --open_;
  notices.emplace_back(SessionEnded{entry.first});
}

void Sessions::accept_newcomer(Entries::value_type& entry, Turn& turn, Notices& notices) {
  const Newcomer newcomer = *std::exchange(entry.second.newcomer, std::nullopt);
  open_session(entry, newcomer.peer, newcomer.hello, turn, notices);
}

void Sessions::refuse_newcomer(Entries::value_type& entry, Turn& turn) {
  const Newcomer newcomer = *std::exchange(entry.second.newcomer, std::nullopt);
  (void)turn.refuse(newcomer.peer, entry.first, messages::RefuseReason::identity_in_use,
                    "another live client presents the key of \"" + entry.first + "\"", one_key_each, 10'000);
}

const Session* Sessions::find(std::string_view client) const {
  const auto found = entries_.find(client);
  return found == entries_.end() || !found->second.session ? nullptr : &*found->second.session;
}

bool Sessions::connected(std::string_view client) const {
  const Session* session = find(client);
  return session != nullptr && session->connected;
}

bool Sessions::is_repeated(PeerId peer, std::string_view client, const messages::Hello& hello) const {
  const Session* session = find(client);
  return session != nullptr && session->peer == peer && session->instance == hello.instance;
}

void Sessions::for_each(const std::function<void(const std::string&, const Session&)>& visit) const {
  for (const auto& [client, entry] : entries_)
    if (entry.session) visit(client, *entry.session);
}

}  // namespace hansa::server
