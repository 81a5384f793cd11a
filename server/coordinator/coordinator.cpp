#include "server/coordinator/coordinator.h"

#include <algorithm>

#include "server/coordinator/internal/member.h"
#include "server/coordinator/internal/secure_round.h"

namespace hansa::server {

TaskId make_task_id(std::uint64_t seed, std::string_view run, RoundId round, std::string_view client) {
  return TaskId(derive_seed(derive_seed(seed, "task of run", 0, run), "task", round.value, client));
}

Coordinator::Coordinator(CoordinatorConfig config, RoundId last_committed, const Digest& model,
                         PublishedModel published, Instant now)
    : config_(std::move(config)),
      last_committed_(last_committed),
      model_(model),
      published_(std::move(published)),
      session_numbers_(config_.session_seed),
      phase_began_(now),
      retry_at_(now),
      now_(now) {
  if (config_.cohort.clients_expected < config_.cohort.clients_min)
    config_.cohort.clients_expected = config_.cohort.clients_min;
  if (config_.secure_sums) {
    clip_ = config_.secure_sums->clip;
    scales_ = config_.secure_sums->scales;
  }
}

Coordinator::~Coordinator() = default;

Coordinator::Verdict Coordinator::apply(const Event& event, Instant now, std::vector<Effect>& effects) {
  now_ = now;
  effects_ = &effects;
  struct Apply {
    Coordinator& c;
    Verdict operator()(const MessageArrived& e) const { return c.on_message(e); }
    Verdict operator()(const MessageMisdirected& e) const { return c.on_misdirected(e); }
    Verdict operator()(const MessageMalformed& e) const {
      const auto reason = e.error.code == ErrorCode::refused ? messages::RefuseReason::version
                                                             : messages::RefuseReason::malformed;
      return c.refuse(e.peer, std::string(e.client), reason, "the message " + e.error.what,
                      "install the aggregator's version of hansa-client", 30'000);
    }
    Verdict operator()(const PeerGone& e) const {
      for (auto& [name, m] : c.members_) {
        if (m->session && m->session->peer == e.peer && m->session->connected) {
          m->session->connected = false;
          m->session->lost_at = c.now_;
          if (m->newcomer) c.settle_newcomer(*m, false);
          return Verdict::accepted;
        }
      }
      return Verdict::discarded;
    }
    Verdict operator()(const UpdateChecked& e) const { return c.on_checked(e); }
    Verdict operator()(const RoundCommitted& e) const {
      if (c.phase_ != Phase::committing || !c.round_ || c.round_->id() != e.round) return Verdict::discarded;
      c.on_committed(e);
      return Verdict::accepted;
    }
    Verdict operator()(const SumRefused& e) const { return c.on_sum_refused(e); }
    Verdict operator()(const TickEvent&) const {
      c.check_leases();
      c.grant_waiting();
      if (c.phase_ == Phase::in_round) c.apply_to_round(round::Tick{});
      return Verdict::accepted;
    }
    Verdict operator()(const StopAsked&) const {
      if (c.phase_ == Phase::finished) return Verdict::discarded;
      if (c.phase_ == Phase::committing) {
        c.stop_asked_ = true;
        return Verdict::accepted;
      }
      c.finish(Finish::Why::stopped, "stopped after round " + std::to_string(c.last_committed_.value));
      return Verdict::accepted;
    }
  };
  const bool is_message =
      std::holds_alternative<MessageArrived>(event) || std::holds_alternative<MessageMisdirected>(event);
  const Verdict verdict =
      phase_ == Phase::finished && !is_message ? Verdict::discarded : std::visit(Apply{*this}, event);
  if (secure_) advance_secure_sum();
  if (stop_asked_ && phase_ == Phase::gathering)
    finish(Finish::Why::stopped, "stopped after round " + std::to_string(last_committed_.value));
  if (phase_ == Phase::gathering) start_round_if_ready();
  effects_ = nullptr;
  return verdict;
}

Instant Coordinator::next_tick() const {
  Instant next = std::min(now_ + std::chrono::seconds(1), newcomers_until_);
  // What is complete is counted before the round closes: then no tick, but the count closes it.
  if (phase_ == Phase::in_round && round_->count(round::MemberState::verifying) == 0)
    next = std::min(next, round_->closes_at());
  if (phase_ == Phase::in_round && uploads_ < config_.limits.uploads_max && !upload_queue_.empty()) {
    const Member& first = *members_.find(upload_queue_.front())->second;
    if (first.upload.state == UploadState::waiting) next = std::min(next, earliest_grant(first));
  }
  if (secure_ && waits_for_phase()) next = std::min(next, secure_->phase_until);
  if (phase_ == Phase::gathering) {
    // Moments that have passed were looked at in the event at now_.
    for (const Instant moment :
         {retry_at_, phase_began_ + config_.cohort.gather, phase_began_ + config_.cohort.wait_max})
      if (moment > now_) next = std::min(next, moment);
  }
  return std::max(next, now_ + std::chrono::milliseconds(1));
}

Progress Coordinator::progress(Instant now) const {
  Progress p;
  p.phase = phase_;
  p.round = round_ ? round_->id() : last_committed_;
  p.rounds = config_.rounds;
  p.attempt = attempt_;
  p.connected = static_cast<std::uint32_t>(std::count_if(
      members_.begin(), members_.end(), [](const auto& m) { return m.second->session.has_value(); }));
  if (round_) p.members = round_->members();
  if (secure_) p.secure = secure_progress();
  if (phase_ == Phase::gathering) p.missing = missing_clients();
  p.waited = now - phase_began_;
  return p;
}

Member& Coordinator::member(std::string_view client) {
  const auto found = members_.find(client);
  if (found != members_.end()) return *found->second;
  auto fresh = std::make_unique<Member>();
  fresh->name = client;
  return *members_.emplace(std::string(client), std::move(fresh)).first->second;
}

void Coordinator::send(const Member& m, messages::ToClient message) {
  if (!m.session || !m.session->connected) return;
  effects_->emplace_back(Send{m.session->peer, m.session->id, std::move(message)});
}

void Coordinator::log(Log::Level level, std::string text) {
  effects_->emplace_back(Log{level, std::move(text)});
}

}  // namespace hansa::server
