#include "client/agent/session.h"

#include <algorithm>
#include <utility>

namespace hansa::client {
namespace {

void log(Log::Level level, LogEvent event, std::string text, std::vector<Effect>& effects) {
  effects.emplace_back(Log{level, std::move(text), event});
}

// The last of too many notices is the number of those that are only in the device's log.
void add_notice(std::vector<messages::Report>& notices, messages::Report notice) {
  if (notices.size() < messages::reports_max) return notices.push_back(std::move(notice));
  Reason& last = notices.back().reason;
  const std::uint64_t omitted =
      last.code == ReasonCode::notices_omitted ? last.number(Quantity::count).value_or(0) + 1 : 2;
  notices.back() = {{ReasonCode::notices_omitted, {{Quantity::count, omitted}}}, {}};
}

}  // namespace

Session::Session(const AgentConfig& config, Instant now)
    : config_(config),
      jitter_(derive_seed(config.instance, "reconnect jitter")),
      retry_at_(now),
      contract_(config.reports) {}

void Session::link_up(Instant now, std::vector<Effect>& effects) {
  if (state_ == LinkState::linking) say_hello(now, effects);
}

void Session::say_hello(Instant now, std::vector<Effect>& effects) {
  state_ = LinkState::greeting;
  greeting_until_ = now + config_.greeting_max;
  messages::Hello hello;
  hello.federation = config_.federation;
  hello.instance = config_.instance;
  hello.software = config_.software;
  hello.data = data_;
  report_due_ = false;
  effects.emplace_back(Send{SessionId{}, hello});
}

void Session::link_down(const Error& error, Instant now, std::vector<Effect>& effects) {
  if (state_ == LinkState::offline || state_ == LinkState::finished) return;
  const std::string text = error.text();
  // The same cause is logged once, and again at each tenth attempt.
  const bool again = text == last_trouble_ && attempt_ % 10 != 0;
  if (!again)
    log(error.code == ErrorCode::refused ? Log::Level::error : Log::Level::warning, LogEvent::link_lost, text,
        effects);
  last_trouble_ = text;
  go_offline(Duration::zero(), now, effects);
}

void Session::malformed(const Error& error, Instant now, std::vector<Effect>& effects) {
  log(Log::Level::error, LogEvent::link_lost,
      "the aggregator's message " + error.what + "; install the same version of Hansa on both sides",
      effects);
  if (state_ == LinkState::greeting || state_ == LinkState::online)
    go_offline(std::chrono::seconds(5), now, effects);
}

void Session::welcomed(SessionId id, const messages::Welcome& welcome, Instant now,
                       std::vector<Effect>& effects) {
  if (state_ != LinkState::greeting) return;
  state_ = LinkState::online;
  id_ = id;
  welcome_ = welcome;
  attempt_ = 0;
  last_trouble_.clear();
  last_heard_ = last_said_ = last_progress_ = last_report_ = now;
  if (!report_due_) data_.notices.clear();  // they were sent with Hello
  log(last_refusal_.empty() ? Log::Level::info : Log::Level::debug, LogEvent::link_connected,
      "connected to federation \"" + config_.federation + "\" as " + welcome.client + ", run " + welcome.run,
      effects);
  contract_.welcomed(welcome.contract);
  const bool changed = judge(effects);
  // With a contract the data in Hello does not count.
  if (changed || welcome.contract) report(now, effects);
}

void Session::refused(const messages::Refuse& refuse, Instant now, std::vector<Effect>& effects) {
  if (state_ != LinkState::greeting && state_ != LinkState::online) return;
  if (refuse.reason == messages::RefuseReason::unknown_session) {
    // The aggregator was restarted, or the lease ended: a new session on the same link.
    if (state_ == LinkState::online) say_hello(now, effects);
    return;
  }
  // A device that waits for its certificate asks every few seconds.
  const std::string text = refuse.what + "; " + refuse.hint;
  if (text != last_refusal_) refusals_ = 0;
  if (refusals_++ % 30 == 0)
    log(Log::Level::error, LogEvent::link_refused, "the aggregator refuses this client: " + text, effects);
  last_refusal_ = text;
  go_offline(std::chrono::milliseconds(refuse.retry_after_ms), now, effects);
}

void Session::aggregator_left(const std::string& reason, Instant now, std::vector<Effect>& effects) {
  if (state_ != LinkState::online) return;
  log(Log::Level::info, LogEvent::link_lost,
      "the aggregator left: " + reason + "; waiting for it to come back", effects);
  go_offline(std::chrono::seconds(1), now, effects);
}

void Session::go_offline(Duration at_least, Instant now, std::vector<Effect>& effects) {
  effects.emplace_back(CloseLink{});
  state_ = LinkState::offline;
  id_ = SessionId{};
  Duration wait = config_.reconnect_min;
  for (std::uint64_t i = 0; i < attempt_ && wait < config_.reconnect_max; ++i) wait *= 2;
  wait = std::min(wait, config_.reconnect_max);
  // A random part between half of the wait and all of it, so that a thousand clients do not reconnect at the same
  // moment.
  wait = from_seconds(seconds(wait) * (0.5 + 0.5 * jitter_.uniform()));
  retry_at_ = now + std::max(wait, at_least);
  ++attempt_;
}

void Session::data_known(const messages::DataReport& data, const std::optional<DataDescription>& description,
                         Instant now, std::vector<Effect>& effects) {
  if (state_ == LinkState::finished) return;
  known_ = data;
  known_.notices.clear();
  contract_.described(description);
  const bool anyway = std::exchange(report_anyway_, false);
  if (!judge(effects) && data.notices.empty() && !anyway) return;
  for (const messages::Report& notice : data.notices) add_notice(data_.notices, notice);
  report_due_ = true;
  report_if_due(now, effects);
}

bool Session::judge(std::vector<Effect>& effects) {
  messages::DataReport next = contract_.judge(known_, effects);
  if (config_.secure_sums) {
    next.examples = visible_count(next.examples);
    next.new_examples = visible_count(next.new_examples);
  }
  const bool changed = next.examples != data_.examples || next.new_examples != data_.new_examples ||
                       next.problem != data_.problem || next.schema != data_.schema;
  next.notices = std::move(data_.notices);
  data_ = std::move(next);
  return changed;
}

void Session::report_if_due(Instant now, std::vector<Effect>& effects) {
  if (report_due_ && state_ == LinkState::online && now >= last_report_ + config_.report_min)
    report(now, effects);
}

void Session::report(Instant now, std::vector<Effect>& effects) {
  report_due_ = false;
  last_report_ = now;
  say(data_, now, effects);
  data_.notices.clear();
}

bool Session::hears(SessionId id, Instant now, std::vector<Effect>& effects) {
  if (state_ != LinkState::online || id != id_) return false;
  last_heard_ = now;
  if (!last_refusal_.empty())
    log(Log::Level::info, LogEvent::link_accepted, "the aggregator accepts this client now", effects);
  last_refusal_.clear();
  return true;
}

void Session::say(messages::ToAggregator message, Instant now, std::vector<Effect>& effects) {
  if (state_ != LinkState::online) return;
  last_said_ = now;
  effects.emplace_back(Send{id_, std::move(message)});
}

void Session::say(SendUpdateRange range, Instant now, std::vector<Effect>& effects) {
  if (state_ != LinkState::online) return;
  last_said_ = now;
  range.session = id_;
  effects.emplace_back(range);
}

void Session::tick(const Work& work, Instant now, std::vector<Effect>& effects) {
  switch (state_) {
    case LinkState::offline:
      if (now < retry_at_) return;
      state_ = LinkState::linking;
      effects.emplace_back(OpenLink{attempt_});
      return;
    case LinkState::greeting:
      if (now < greeting_until_) return;
      log(Log::Level::warning, LogEvent::link_lost, "the aggregator does not answer Hello", effects);
      go_offline(Duration::zero(), now, effects);
      return;
    case LinkState::online:
      keep_alive(work, now, effects);
      report_if_due(now, effects);
      return;
    case LinkState::linking:
    case LinkState::finished: return;
  }
}

void Session::keep_alive(const Work& work, Instant now, std::vector<Effect>& effects) {
  const Duration lease = std::chrono::milliseconds(welcome_.lease_ms);
  if (now - last_heard_ >= lease) {
    log(Log::Level::warning, LogEvent::link_lost, "the aggregator is silent", effects);
    go_offline(Duration::zero(), now, effects);
  } else if (work.activity == Activity::transferring && now - last_progress_ >= config_.stall_max) {
    log(Log::Level::warning, LogEvent::link_lost, "the transfer stands still; opening another session",
        effects);
    say_hello(now, effects);
  } else if (now - last_said_ >= lease / 3) {
    say(messages::Ping{work.task}, now, effects);
  }
}

Instant Session::next_tick(const Work& work, Instant now) const {
  switch (state_) {
    case LinkState::offline: return retry_at_;
    case LinkState::linking: return now + std::chrono::seconds(60);
    case LinkState::greeting: return greeting_until_;
    case LinkState::online: {
      const Duration lease = std::chrono::milliseconds(welcome_.lease_ms);
      Instant next = std::min(last_heard_ + lease, last_said_ + lease / 3);
      if (report_due_) next = std::min(next, last_report_ + config_.report_min);
      if (work.activity == Activity::transferring) next = std::min(next, last_progress_ + config_.stall_max);
      return std::max(next, now + std::chrono::milliseconds(1));
    }
    case LinkState::finished: break;
  }
  return now + std::chrono::hours(1);
}

void Session::finish(Exit::Why why, std::vector<Effect>& effects) {
  effects.emplace_back(CloseLink{});
  effects.emplace_back(Exit{why});
  state_ = LinkState::finished;
}

const char* name(LinkState state) noexcept {
  switch (state) {
    case LinkState::offline: return "offline";
    case LinkState::linking: return "linking";
    case LinkState::greeting: return "greeting";
    case LinkState::online: return "online";
    case LinkState::finished: return "finished";
  }
  return "";
}

}  // namespace hansa::client
