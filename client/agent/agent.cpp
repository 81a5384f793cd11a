#include "client/agent/agent.h"

#include <algorithm>

namespace hansa::client {

Agent::Agent(AgentConfig config, Instant now)
    : config_(std::move(config)),
      jitter_(derive_seed(config_.instance, "reconnect jitter")),
      retry_at_(now),
      now_(now) {}

void Agent::apply(const Event& event, Instant now, std::vector<Effect>& effects) {
  if (state_ == LinkState::finished) return;
  now_ = now;
  effects_ = &effects;
  struct Apply {
    Agent& a;
    void operator()(const LinkUp&) const { a.on_link_up(); }
    void operator()(const LinkDown& e) const { a.on_link_down(e.error); }
    void operator()(const Received& e) const { a.on_message(e); }
    void operator()(const ReceivedMalformed& e) const {
      a.log(Log::Level::error,
            "the aggregator's message " + e.error.what + "; install the same version of Hansa on both sides");
      if (a.state_ == LinkState::greeting || a.state_ == LinkState::online)
        a.go_offline(std::chrono::seconds(5));
    }
    void operator()(const ArchiveLookedUp& e) const {
      if (a.arriving_) a.begin_task(e);
    }
    void operator()(const BlobChecked& e) const {
      if (e.sound) a.apply_to_task(round::BlobVerified{e.blob});
      else a.apply_to_task(round::BlobDamaged{e.blob});
    }
    void operator()(const TrainingEnded& e) const { a.on_training_ended(e); }
    void operator()(const UpdateMasked& e) const { a.on_masked(e); }
    void operator()(const DataKnown& e) const { a.on_data(e.data); }
    void operator()(const TickEvent&) const { a.on_tick(); }
    void operator()(const StopAsked&) const {
      if (a.state_ == LinkState::online)
        a.effects_->emplace_back(Send{a.session_, messages::Bye{"the client stops"}});
      a.finish(Exit::Why::stopped);
    }
  };
  std::visit(Apply{*this}, event);
  effects_ = nullptr;
}

Instant Agent::next_tick() const {
  switch (state_) {
    case LinkState::offline: return retry_at_;
    case LinkState::linking: return now_ + std::chrono::seconds(60);
    case LinkState::greeting: return greeting_until_;
    case LinkState::online: {
      const Duration lease = std::chrono::milliseconds(welcome_.lease_ms);
      Instant next = std::min(last_heard_ + lease, last_said_ + lease / 3);
      if (report_due_) next = std::min(next, last_report_ + config_.report_min);
      if (transferring()) next = std::min(next, last_progress_ + config_.stall_max);
      return std::max(next, now_ + std::chrono::milliseconds(1));
    }
    case LinkState::finished: break;
  }
  return now_ + std::chrono::hours(1);
}

void Agent::on_link_up() {
  if (state_ != LinkState::linking) return;
  say_hello();
}

void Agent::say_hello() {
  state_ = LinkState::greeting;
  greeting_until_ = now_ + config_.greeting_max;
  task_confirmed_ = false;
  messages::Hello hello;
  hello.federation = config_.federation;
  hello.instance = config_.instance;
  hello.software = config_.software;
  hello.data = data_;
  report_due_ = false;
  effects_->emplace_back(Send{SessionId{}, hello});
}

void Agent::on_data(const messages::DataReport& data) {
  std::string notice = data_.notice;
  if (!data.notice.empty()) notice += (notice.empty() ? "" : "; ") + data.notice;
  if (data.examples == data_.examples && data.new_examples == data_.new_examples &&
      data.problem == data_.problem && notice == data_.notice)
    return;
  data_ = data;
  data_.notice = std::move(notice);
  report_due_ = true;
  report_if_due();
}

void Agent::report_if_due() {
  if (!report_due_ || state_ != LinkState::online || now_ < last_report_ + config_.report_min) return;
  report_due_ = false;
  last_report_ = last_said_ = now_;
  effects_->emplace_back(Send{session_, data_});
  data_.notice.clear();
}

void Agent::on_link_down(const Error& error) {
  if (state_ == LinkState::offline) return;
  const std::string text = error.text();
  // The same trouble is told once, and again each tenth try: loud, not a flood.
  const bool again = text == last_trouble_ && attempt_ % 10 != 0;
  if (!again) log(error.code == ErrorCode::refused ? Log::Level::error : Log::Level::warning, text);
  last_trouble_ = text;
  go_offline(Duration::zero());
}

void Agent::go_offline(Duration at_least) {
  effects_->emplace_back(CloseLink{});
  state_ = LinkState::offline;
  session_ = SessionId{};
  task_confirmed_ = false;
  Duration wait = config_.reconnect_min;
  for (std::uint64_t i = 0; i < attempt_ && wait < config_.reconnect_max; ++i) wait *= 2;
  wait = std::min(wait, config_.reconnect_max);
  // From half to the whole of it, so that a thousand clients do not come back in one moment.
  wait = from_seconds(seconds(wait) * (0.5 + 0.5 * jitter_.uniform()));
  retry_at_ = now_ + std::max(wait, at_least);
  ++attempt_;
}

void Agent::on_message(const Received& event) {
  if (state_ != LinkState::greeting && state_ != LinkState::online) return;
  if (const auto* refuse = std::get_if<messages::Refuse>(&event.message)) return on_refuse(*refuse);
  if (const auto* welcome = std::get_if<messages::Welcome>(&event.message))
    return on_welcome(event.session, *welcome);
  if (const auto* bye = std::get_if<messages::Bye>(&event.message); bye && state_ == LinkState::online) {
    log(Log::Level::info, "the aggregator left: " + bye->reason + "; waiting for it to come back");
    sum_.reset();  // the aggregator's side of it is in its memory only
    return go_offline(std::chrono::seconds(1));
  }
  // What was meant for an old session is stale.
  if (state_ != LinkState::online || event.session != session_) return;
  last_heard_ = now_;
  struct Apply {
    Agent& a;
    const Received& event;
    void progress() const { a.last_progress_ = a.now_; }
    void operator()(const messages::TrainTask& m) const {
      progress();
      a.on_train_task(m);
    }
    void operator()(const messages::BlobChunk& m) const {
      progress();
      a.apply_to_task(round::ChunkArrived{m.blob, m.offset, event.bulk.size()});
    }
    void operator()(const messages::Grant& m) const {
      progress();
      if (a.is_current(m.task)) a.apply_to_task(round::GrantArrived{m.offset, m.limit});
    }
    void operator()(const messages::Receipt& m) const {
      progress();
      if (!a.is_current(m.task)) return;
      if (m.verdict == messages::Verdict::rejected)
        a.log(Log::Level::error, "the update was rejected: " + m.reason);
      a.apply_to_task(round::ReceiptArrived{m.verdict});
      if (a.task_->state() == round::TaskState::counted) a.effects_->emplace_back(KeepCounted{m.task});
    }
    void operator()(const messages::Cancel& m) const {
      if (!a.is_current(m.task)) return;
      a.sum_.reset();
      a.apply_to_task(round::CancelArrived{});
    }
    void operator()(const messages::KeyRoster& m) const {
      progress();
      a.on_roster(m, event.bulk);
    }
    void operator()(const messages::ShareDelivery& m) const {
      progress();
      a.on_delivery(m);
    }
    void operator()(const messages::SurvivorSet& m) const {
      progress();
      a.on_survivors(m);
    }
    void operator()(const messages::UnmaskRequest& m) const {
      progress();
      a.on_unmask(m);
    }
    void operator()(const messages::Missing& m) const {
      // The round moved on while the model was fetched; the next task says what to do.
      // A finished update needs neither blob.
      const bool fetching = a.task_ && (a.task_->state() == round::TaskState::fetching_archive ||
                                        a.task_->state() == round::TaskState::fetching_model);
      if (fetching && a.task_->fetches(m.blob)) a.apply_to_task(round::CancelArrived{});
    }
    void operator()(const messages::Ping&) const {
      a.effects_->emplace_back(Send{a.session_, messages::Pong{a.at_work_on()}});
      a.last_said_ = a.now_;
    }
    void operator()(const messages::Pong&) const {}
    void operator()(const messages::Finished& m) const {
      a.log(Log::Level::info, "the federation is finished after round " + std::to_string(m.round.value) +
                                  ", model " + m.model.text());
      a.sum_.reset();
      if (a.config_.when_finished == WhenFinished::stop) a.finish(Exit::Why::finished);
    }
    // Handled above.
    void operator()(const messages::Welcome&) const {}
    void operator()(const messages::Refuse&) const {}
    void operator()(const messages::Bye&) const {}
  };
  std::visit(Apply{*this, event}, event.message);
}

bool Agent::is_current(TaskId task) const { return task_ && task_->task().task == task; }

void Agent::on_welcome(SessionId session, const messages::Welcome& welcome) {
  if (state_ != LinkState::greeting) return;
  state_ = LinkState::online;
  session_ = session;
  welcome_ = welcome;
  attempt_ = 0;
  last_trouble_.clear();
  last_heard_ = last_said_ = last_progress_ = last_report_ = now_;
  if (!report_due_) data_.notice.clear();  // Hello brought it
  log(Log::Level::info,
      "connected to federation \"" + config_.federation + "\" as " + welcome.client + ", run " + welcome.run);
}

void Agent::on_refuse(const messages::Refuse& refuse) {
  if (refuse.reason == messages::RefuseReason::unknown_session) {
    // The aggregator was restarted, or took this client for gone: start anew on the same link.
    if (state_ == LinkState::online) say_hello();
    return;
  }
  log(Log::Level::error, "the aggregator refuses this client: " + refuse.what + "; " + refuse.hint);
  go_offline(std::chrono::milliseconds(refuse.retry_after_ms));
}

void Agent::on_train_task(const messages::TrainTask& task) {
  if (std::max(task.archive_bytes, task.model_bytes) > config_.blob_bytes_max ||
      task.model_bytes % sizeof(float) != 0) {
    return decline(task, "the model is larger than the client takes");
  }
  // The shell keeps the two blobs apart by their digests, and a vector of nothing needs no training.
  if (task.archive == task.model || task.model_bytes == 0)
    return decline(task, "the model has no parameters, or is its archive");
  if (auto secure = check_security(task); !secure) return decline(task, secure.error().text());
  if (auto codecs = check_codecs(task); !codecs) return decline(task, codecs.error().text());
  const bool resumable = task_ && task_->same_work(task) && task_->state() != round::TaskState::declined &&
                         task_->state() != round::TaskState::dropped;
  task_confirmed_ = true;
  if (resumable) {
    join_sum(task);
    apply_to_task(round::SessionOpened{welcome_.chunk_bytes});
    mask_if_ready();
    return;
  }
  if (task_) apply_to_task(round::CancelArrived{});
  sum_.reset();
  trained_.reset();
  if (config_.decline_without_new && data_.new_examples == 0) {
    log(Log::Level::info, "declined round " + std::to_string(task.round.value) + ": nothing new to train on");
    say(messages::Decline{task.task, "it has nothing new to train on"});
    return;
  }
  arriving_ = task;
  effects_->emplace_back(FindArchive{task.archive});
}

// Plans are made again where they are used; here they are but looked at.
Result<void> Agent::check_codecs(const messages::TrainTask& task) const {
  const auto check = [&](const std::vector<codecs::Segment>& segments) -> Result<void> {
    HANSA_TRY(const codecs::Plan plan, codecs::Plan::create(segments));
    if (plan.values() != task.model_bytes / sizeof(float))
      return fail(ErrorCode::protocol, "codecs", "are not for the task's model");
    if (plan.state_values() * sizeof(float) > config_.blob_bytes_max)
      return fail(ErrorCode::resource, "codecs", "need to keep more than the client takes");
    return {};
  };
  if (task.compression) HANSA_TRY_VOID(check(task.compression->segments));
  if (task.deltas) {
    HANSA_TRY_VOID(check(task.deltas->segments));
    for (const messages::ModelDelta& delta : task.deltas->deltas)
      if (delta.bytes > config_.blob_bytes_max || delta.blob == task.model || delta.blob == task.archive)
        return fail(ErrorCode::protocol, "codecs", "make no delta to the task's model");
  }
  return {};
}

void Agent::decline(const messages::TrainTask& task, const std::string& reason) {
  log(Log::Level::error, "declined round " + std::to_string(task.round.value) + ": " + reason);
  say(messages::Decline{task.task, reason});
}

void Agent::begin_task(const ArchiveLookedUp& found) {
  const messages::TrainTask task = std::move(*arriving_);
  arriving_.reset();
  const round::Fetched before = task_ ? task_->fetched() : round::Fetched{};
  task_.emplace(task, found.archive, welcome_.chunk_bytes, found.model, before);
  join_sum(task);
  apply_to_task(round::SessionOpened{welcome_.chunk_bytes});
}

void Agent::apply_to_task(const round::TaskEvent& event) {
  if (!task_) return;
  std::vector<round::TaskEffect> task_effects;
  (void)task_->apply(event, now_, task_effects);
  struct Translate {
    Agent& a;
    [[nodiscard]] const messages::TrainTask& task() const { return a.task_->task(); }
    void operator()(round::SendMessage& e) const {
      if (!a.task_confirmed_ || a.state_ != LinkState::online) return;
      a.last_said_ = a.now_;
      a.effects_->emplace_back(Send{a.session_, std::move(e.message)});
    }
    void operator()(round::SendUpdateRange& e) const {
      if (!a.task_confirmed_ || a.state_ != LinkState::online) return;
      a.last_said_ = a.now_;
      a.effects_->emplace_back(
          SendUpdateRange{a.session_, task().task, e.offset, e.bytes, task().secure.has_value()});
    }
    void operator()(round::KeepChunk& e) const {
      a.effects_->emplace_back(KeepChunk{task(), e.blob, e.offset});
    }
    void operator()(round::VerifyBlob& e) const { a.effects_->emplace_back(VerifyBlob{task(), e.blob}); }
    void operator()(round::StartTraining&) const { a.effects_->emplace_back(StartTraining{task()}); }
    void operator()(round::StopTraining&) const { a.effects_->emplace_back(StopTraining{}); }
  };
  for (auto& effect : task_effects) std::visit(Translate{*this}, effect);
}

bool Agent::transferring() const {
  if (!task_ || !task_confirmed_) return false;
  switch (task_->state()) {
    case round::TaskState::fetching_archive:
    case round::TaskState::fetching_model:
    case round::TaskState::offering:
    case round::TaskState::uploading: return true;
    case round::TaskState::training:
    case round::TaskState::counted:
    case round::TaskState::declined:
    case round::TaskState::dropped: return false;
  }
  return false;
}

TaskId Agent::at_work_on() const {
  if (!task_ || !task_confirmed_) return TaskId{};
  const bool working = transferring() || task_->state() == round::TaskState::training;
  return working ? task_->task().task : TaskId{};
}

void Agent::on_tick() {
  switch (state_) {
    case LinkState::offline:
      if (now_ < retry_at_) return;
      state_ = LinkState::linking;
      effects_->emplace_back(OpenLink{attempt_});
      return;
    case LinkState::greeting:
      if (now_ < greeting_until_) return;
      log(Log::Level::warning, "the aggregator does not answer Hello");
      go_offline(Duration::zero());
      return;
    case LinkState::online: {
      const Duration lease = std::chrono::milliseconds(welcome_.lease_ms);
      if (now_ - last_heard_ >= lease) {
        log(Log::Level::warning, "the aggregator is silent");
        go_offline(Duration::zero());
      } else if (transferring() && now_ - last_progress_ >= config_.stall_max) {
        log(Log::Level::warning, "the transfer stands still; starting the session anew");
        say_hello();
      } else if (now_ - last_said_ >= lease / 3) {
        last_said_ = now_;
        effects_->emplace_back(Send{session_, messages::Ping{at_work_on()}});
      }
      report_if_due();
      return;
    }
    case LinkState::linking:
    case LinkState::finished: return;
  }
}

void Agent::log(Log::Level level, std::string text) { effects_->emplace_back(Log{level, std::move(text)}); }

void Agent::finish(Exit::Why why) {
  if (task_ && task_->state() == round::TaskState::training) effects_->emplace_back(StopTraining{});
  effects_->emplace_back(CloseLink{});
  effects_->emplace_back(Exit{why});
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
