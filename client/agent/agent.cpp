#include "client/agent/agent.h"

#include <string>
#include <utility>

#include "client/agent/task_check.h"
#include "common/column_statistics.h"

namespace hansa::client {

Agent::Agent(AgentConfig config, Instant now)
    : config_(std::move(config)),
      session_(config_, now),
      sum_(config_.federation, config_.secure_sums, config_.reports),
      now_(now) {}

// The context of one call of apply(), for the handlers of events and messages.
struct Agent::Turn {
  Agent& a;
  Instant now;
  std::vector<Effect>& effects;

  void log(Log::Level level, LogEvent event, std::string text, std::optional<RoundId> round = {}) const {
    effects.emplace_back(Log{level, std::move(text), event, round});
  }
  void say(messages::ToAggregator message) const { a.session_.say(std::move(message), now, effects); }
  void to_task(const round::TaskEvent& event) const {
    const std::size_t from = effects.size();
    a.task_.apply(event, a.session_, now, effects);
    hold_training(from);
  }
  // Takes back the start of a training that has to wait for the sum, and the end of one that waits.
  void hold_training(std::size_t from) const {
    for (std::size_t i = from; i < effects.size();) {
      const auto* start = std::get_if<StartTraining>(&effects[i]);
      const bool waits = start != nullptr && !a.sum_.may_train(*start->task);
      const bool ends = std::holds_alternative<StopTraining>(effects[i]) && a.held_ != nullptr;
      if (waits) a.held_ = start->task;
      else if (ends) a.held_ = nullptr;
      if (waits || ends) effects.erase(effects.begin() + static_cast<std::ptrdiff_t>(i));
      else ++i;
    }
  }
  void release_training() const {
    if (a.held_ && a.sum_.may_train(*a.held_))
      effects.emplace_back(StartTraining{std::exchange(a.held_, nullptr)});
  }

  // Calls the participant, and carries out what it asks for.
  template <class Call>
  void with_sum(Call call) const {
    std::vector<SumEffect> sum_effects;
    call(sum_effects);
    struct CarryOut {
      const Turn& t;
      void operator()(Say& e) const { t.say(std::move(e.message)); }
      void operator()(round::TaskEvent& e) const { t.to_task(e); }
      void operator()(MaskUpdate& e) const { t.effects.emplace_back(std::move(e)); }
      void operator()(RememberOpening& e) const { t.effects.emplace_back(std::move(e)); }
      void operator()(Log& e) const { t.effects.emplace_back(std::move(e)); }
    };
    for (auto& effect : sum_effects) std::visit(CarryOut{*this}, effect);
  }
  template <class Message>
  void pass_to_sum(const Message& message) const {
    a.session_.progressed(now);
    with_sum([&](auto& out) { a.sum_.hear(message, out); });
    release_training();
  }

  void decline(const messages::TrainTask& task, const Error& error) const {
    log(Log::Level::error, LogEvent::task_declined,
        "declined round " + std::to_string(task.round.value) + ": " + error.text(), task.round);
    say(messages::Decline{task.task, report_of(error, a.config_.reports)});
  }

  void take(const messages::TrainTask& task) const {
    if (auto valid = check_task(task, a.config_); !valid) return decline(task, valid.error());
    if (auto secure = a.sum_.check(task, a.session_.welcome().client); !secure)
      return decline(task, secure.error());
    if (const auto& difference = a.session_.contract_difference()) {
      // The task may have begun under another contract.
      if (a.task_.is_current(task.task)) {
        a.sum_.leave();
        to_task(round::CancelArrived{});
      }
      return decline(task, *difference);
    }
    if (a.task_.continues(task)) {
      a.task_.confirm();
      open(task);
      if (a.task_.is_training()) with_sum([&](auto& out) { a.sum_.mask_if_ready(out); });
      return;
    }
    to_task(round::CancelArrived{});
    a.sum_.reset();
    a.task_.confirm();
    // Statistics are of all examples, and use none of them up.
    if (a.config_.decline_without_new && a.session_.data().new_examples == 0 &&
        task.method.name != statistics_method) {
      log(Log::Level::info, LogEvent::task_declined,
          "declined round " + std::to_string(task.round.value) + ": nothing new to train on", task.round);
      say(messages::Decline{task.task, {{ReasonCode::nothing_new, {}}, {}}});
      return;
    }
    log(Log::Level::debug, LogEvent::task_received,
        "has the task of round " + std::to_string(task.round.value), task.round);
    a.task_.await(task, effects);
  }

  void begin(const ArchiveLookedUp& found) const {
    if (!a.task_.awaited()) return;
    a.task_.begin(found, a.session_.welcome().chunk_bytes);
    open(a.task_.task()->task());
  }

  // Joins the sum first: its keys and shares are exchanged while the inputs arrive.
  void open(const messages::TrainTask& task) const {
    with_sum([&](auto& out) { a.sum_.join(task, a.session_.welcome().client, out); });
    to_task(round::SessionOpened{a.session_.welcome().chunk_bytes});
  }

  // Ends the client after Finished, unless it stays.
  void leave_finished() const {
    if (a.config_.when_finished != WhenFinished::stop) return;
    say(messages::Bye{});
    finish(Exit::Why::finished);
  }

  void fetch_last_model(const messages::Finished& finished) const {
    if (a.config_.last_model == LastModelWanted::no) return leave_finished();
    if (!a.task_.task() || a.task_.task()->task().method.name == statistics_method) {
      log(Log::Level::info, LogEvent::none,
          "does not fetch the last model: this client was in no round since it started");
      return leave_finished();
    }
    const auto pull =
        a.last_model_.begin(a.task_.task()->shared_task(), finished, a.session_.welcome().chunk_bytes, now);
    if (!pull) return leave_finished();
    a.session_.progressed(now);
    say(*pull);
  }

  void take_last_model(const messages::BlobChunk& chunk, std::uint64_t bytes) const {
    if (const auto pull = a.last_model_.take(chunk, bytes, now, effects)) say(*pull);
    if (!a.last_model_.is_fetching()) leave_finished();
  }

  void lose_last_model() const {
    a.last_model_.give_up();
    log(Log::Level::warning, LogEvent::model_failed,
        "the last model could not be fetched; the one of an earlier round stays in the serving folder");
    leave_finished();
  }

  void finish(Exit::Why why) const {
    if (a.task_.is_training()) effects.emplace_back(StopTraining{});
    a.session_.finish(why, effects);
  }

  void training_ended(const TrainingEnded& event) const {
    if (!a.task_.is_current(event.task)) return;
    if (!event.outcome) {
      log(Log::Level::error, LogEvent::task_failed, "training failed: " + event.outcome.error().text(),
          a.task_.task()->task().round);
      a.sum_.leave();
      return to_task(round::TrainingFailed{report_of_training(event.outcome.error(), a.config_.reports)});
    }
    if (!a.task_.task()->task().secure) return to_task(round::TrainingDone{*event.outcome});
    if (!a.task_.is_training()) return;
    with_sum([&](auto& out) { a.sum_.trained(*event.outcome, out); });
  }
};

// Messages of the open session.
struct Agent::Hear {
  const Turn& t;
  const Received& event;

  void operator()(const messages::TrainTask& m) const {
    t.a.session_.progressed(t.now);
    t.take(m);
  }
  void operator()(const messages::BlobChunk& m) const {
    t.a.session_.progressed(t.now);
    if (t.a.last_model_.fetches(m.blob)) return t.take_last_model(m, event.bulk.size());
    t.to_task(round::ChunkArrived{m.blob, m.offset, event.bulk.size()});
  }
  void operator()(const messages::Grant& m) const {
    t.a.session_.progressed(t.now);
    if (t.a.task_.is_current(m.task)) t.to_task(round::GrantArrived{m.offset, m.limit});
  }
  void operator()(const messages::Receipt& m) const {
    t.a.session_.progressed(t.now);
    const bool is_counted = m.verdict == messages::Verdict::counted;
    if (!t.a.task_.is_current(m.task)) {
      // Perhaps of the last update that an earlier process of this client sent.
      if (is_counted) t.effects.emplace_back(KeepCounted{m.task});
      return;
    }
    const RoundId round = t.a.task_.task()->task().round;
    if (m.verdict == messages::Verdict::rejected)
      t.log(Log::Level::error, LogEvent::update_rejected, "the update was rejected: " + m.reason, round);
    else if (!is_counted)
      t.log(Log::Level::debug, LogEvent::update_counted, "the update is in the secure sum", round);
    t.to_task(round::ReceiptArrived{m.verdict});
    // What was summed only may never be committed. Then its examples are still new.
    if (is_counted && t.a.task_.task()->state() == round::TaskState::counted) {
      t.a.session_.update_counted();
      t.a.committed_ = m.task;
      t.effects.emplace_back(KeepCounted{m.task});
    }
    // After it is stored: whoever waits for this line may rely on what the device keeps.
    if (is_counted) t.log(Log::Level::debug, LogEvent::update_counted, "the update is counted", round);
  }
  void operator()(const messages::Cancel& m) const {
    if (!t.a.task_.is_current(m.task)) return;
    t.a.sum_.leave();
    t.to_task(round::CancelArrived{});
  }
  void operator()(const messages::Missing& m) const {
    if (t.a.last_model_.fetches(m.blob)) return t.lose_last_model();
    // The round ended while the client was fetching its blobs, so the task is dropped. A task whose update is finished
    // needs no blob and continues.
    if (t.a.task_.is_fetching() && t.a.task_.task()->fetches(m.blob)) t.to_task(round::CancelArrived{});
  }
  void operator()(const messages::KeyRoster& m) const {
    t.a.session_.progressed(t.now);
    t.with_sum([&](auto& out) { t.a.sum_.hear(m, {event.bulk, event.at}, out); });
  }
  void operator()(const messages::ShareDelivery& m) const { t.pass_to_sum(m); }
  void operator()(const messages::SurvivorSet& m) const { t.pass_to_sum(m); }
  void operator()(const messages::UnmaskRequest& m) const { t.pass_to_sum(m); }
  void operator()(const messages::Ping&) const { t.say(messages::Pong{t.a.task_.work().task}); }
  void operator()(const messages::Pong&) const {}
  void operator()(const messages::Finished& m) const {
    t.log(Log::Level::info, LogEvent::federation_finished,
          "the federation is finished after round " + std::to_string(m.round.value) + ", model " +
              m.model.text(),
          m.round);
    t.a.sum_.leave();
    t.fetch_last_model(m);
  }
  // Agent::Apply handles these, because they open and end sessions.
  void operator()(const messages::Welcome&) const {}
  void operator()(const messages::Refuse&) const {}
  void operator()(const messages::Bye&) const {}
};

struct Agent::Apply {
  const Turn& t;

  void operator()(const LinkUp&) const { t.a.session_.link_up(t.now, t.effects); }
  void operator()(const LinkDown& e) const { t.a.session_.link_down(e.error, t.now, t.effects); }
  void operator()(const ReceivedMalformed& e) const { t.a.session_.malformed(e.error, t.now, t.effects); }
  void operator()(const Received& e) const {
    Session& session = t.a.session_;
    if (const auto* refuse = std::get_if<messages::Refuse>(&e.message))
      return session.refused(*refuse, t.now, t.effects);
    if (const auto* welcome = std::get_if<messages::Welcome>(&e.message))
      return session.welcomed(e.session, *welcome, t.now, t.effects);
    if (const auto* bye = std::get_if<messages::Bye>(&e.message)) {
      // The aggregator keeps a sum only in memory, so the sum is over when the aggregator leaves.
      if (session.state() == LinkState::online) t.a.sum_.leave();
      return session.aggregator_left(bye->reason, t.now, t.effects);
    }
    if (session.hears(e.session, t.now, t.effects)) std::visit(Hear{t, e}, e.message);
  }
  void operator()(const ArchiveLookedUp& e) const { t.begin(e); }
  void operator()(const BlobChecked& e) const {
    if (e.valid) t.to_task(round::BlobVerified{e.blob});
    else t.to_task(round::BlobDamaged{e.blob});
  }
  void operator()(const TrainingEnded& e) const { t.training_ended(e); }
  void operator()(const UpdateMasked& e) const {
    t.with_sum([&](auto& out) { t.a.sum_.masked(e, out); });
  }
  void operator()(const OpeningRemembered& e) const {
    t.with_sum([&](auto& out) { t.a.sum_.remembered(e, out); });
  }
  void operator()(const DataKnown& e) const {
    t.a.session_.data_known(e.data, e.description, t.now, t.effects);
  }
  void operator()(const TickEvent&) const { t.a.session_.tick(t.a.work(), t.now, t.effects); }
  void operator()(const StopAsked&) const {
    t.say(messages::Bye{});
    t.finish(Exit::Why::stopped);
  }
};

bool Agent::is_idle() const {
  if (last_model_.is_fetching() || task_.awaited()) return false;
  if (!task_.task()) return true;
  switch (task_.task()->state()) {
    case round::TaskState::counted: return task_.is_current(committed_);
    case round::TaskState::declined:
    case round::TaskState::dropped: return true;
    default: return false;
  }
}

bool Agent::is_uploading() const {
  return task_.task() && task_.task()->state() == round::TaskState::uploading;
}

std::optional<RoundId> Agent::current_round() const {
  if (task_.awaited()) return task_.awaited()->round;
  if (!task_.task()) return std::nullopt;
  switch (task_.task()->state()) {
    case round::TaskState::declined:
    case round::TaskState::dropped: return std::nullopt;
    default: return is_idle() ? std::nullopt : std::optional(task_.task()->task().round);
  }
}

std::string_view Agent::phase() const {
  if (session_.state() != LinkState::online) return name(session_.state());
  if (task_.awaited()) return "fetching";
  if (!current_round()) return "idle";
  switch (task_.task()->state()) {
    case round::TaskState::fetching_archive:
    case round::TaskState::fetching_inputs: return "fetching";
    case round::TaskState::training: return "training";
    case round::TaskState::offering: return "offering";
    case round::TaskState::uploading: return "uploading";
    case round::TaskState::counted: return "counted";
    case round::TaskState::declined:
    case round::TaskState::dropped: break;
  }
  return "idle";
}

void Agent::place_log(std::optional<RoundId> round, std::string_view phase, std::size_t from,
                      std::vector<Effect>& effects) {
  for (std::size_t i = from; i < effects.size(); ++i) {
    auto* line = std::get_if<Log>(&effects[i]);
    if (line == nullptr) continue;
    if (!line->round) line->round = round;
    if (line->phase.empty()) line->phase = phase;
  }
}

void Agent::apply(const Event& event, Instant now, std::vector<Effect>& effects) {
  if (session_.state() == LinkState::finished) return;
  now_ = now;
  const Turn turn{*this, now, effects};
  const std::size_t before = effects.size();
  const bool was_uploading = is_uploading();
  // A line is about the round and the phase in which it was written, also if they end with it.
  const auto round = current_round();
  const std::string_view phase = this->phase();
  std::visit(Apply{turn}, event);
  if (!was_uploading && is_uploading())
    turn.log(Log::Level::debug, LogEvent::update_sent, "sends its update", current_round());
  if (session_.state() != LinkState::online && session_.state() != LinkState::finished) {
    task_.session_ended();
    if (last_model_.is_fetching()) turn.lose_last_model();
  }
  place_log(round, phase, before, effects);
}

}  // namespace hansa::client
