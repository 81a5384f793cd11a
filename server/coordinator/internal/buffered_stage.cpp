#include "server/coordinator/internal/buffered_stage.h"

#include <algorithm>

#include "server/coordinator/internal/blame.h"
#include "server/coordinator/internal/common_task.h"
#include "server/coordinator/internal/downloads.h"
#include "server/coordinator/internal/plain_checks.h"
#include "server/coordinator/internal/round_method.h"

namespace hansa::server {
namespace {

constexpr Duration in_flight = std::chrono::seconds(5);
constexpr Duration look_again = std::chrono::seconds(5);  // at a task whose deadline was extended
constexpr int overtime_factor = 4;  // of the time that cohort.deadline_s gives

// Of a client whose task failed; the first failure may be chance.
Duration pause_after(std::uint32_t failures) {
  Duration pause = std::chrono::seconds(1);
  for (std::uint32_t i = 1; i < failures && pause < retry_in_vain_max; ++i) pause *= 2;
  return std::min<Duration>(pause, retry_in_vain_max);
}

round::MemberState member_state(TraineeState state) {
  switch (state) {
    case TraineeState::absent: return round::MemberState::absent;
    case TraineeState::waiting:
    case TraineeState::checking: return round::MemberState::verifying;
    case TraineeState::free:
    case TraineeState::training: break;
  }
  return round::MemberState::pending;
}

round::MemberState member_state(Outcome outcome) {
  switch (outcome) {
    case Outcome::counted: return round::MemberState::counted;
    case Outcome::declined: return round::MemberState::declined;
    case Outcome::disconnected: return round::MemberState::absent;
    case Outcome::no_answer:
    case Outcome::rejected:
    case Outcome::late: break;
  }
  return round::MemberState::rejected;
}

}  // namespace

messages::TrainTask BufferedStage::make_task(const Trainee& trainee, Instant now) const {
  // A further task on the same model would measure it again.
  const Measure measure = trainee.work.opened == 0 ? shared_.measure() : Measure::no;
  // The learning rate depends on the round of the task. No method of this mode depends on the other clients of a round.
  const Method method = method_of_round(shared_.config.settings, {shared_.standing.run, trainee.work.round},
                                        {}, shared_.clients);
  messages::TrainTask task =
      make_common_task(shared_.config, *trainee.model, trainee.work.round, method, measure);
  task.task = trainee.task;
  task.seed = trainee.seed;
  const Duration left = std::max(trainee.deadline - now, Duration::zero());
  task.deadline_ms = static_cast<std::uint32_t>(left / std::chrono::milliseconds(1));
  add_compression(task, shared_.config, codec_seed(shared_.config, trainee.work.round));
  return task;
}

void BufferedStage::send_task(const std::string& client, Trainee& trainee, Turn& turn) {
  trainee.task_sent_at = turn.now;
  turn.send(client, make_task(trainee, turn.now));
}

void BufferedStage::send_receipt(const std::string& client, const Trainee& trainee, Turn& turn) {
  if (trainee.counted) turn.send(client, messages::Receipt{*trainee.counted, messages::Verdict::counted, {}});
}

// A client that reports another task, or none, has missed its task.
void BufferedStage::on_current_task(const std::string& client, TaskId current, Turn& turn) {
  Trainee* t = trainees().find(client);
  if (t == nullptr || t->state != TraineeState::training || current == t->task ||
      turn.now - t->task_sent_at < in_flight)
    return;
  if (current == t->counted) send_receipt(client, *t, turn);
  send_task(client, *t, turn);
}

bool BufferedStage::is_fetching(const Trainee& trainee, Duration stall, Instant now) {
  if (trainee.state != TraineeState::training || trainee.has_model) return false;
  return is_fetching_model(trainee.moved_at, trainee.task_sent_at, stall, now);
}

Reply BufferedStage::on_pull(const std::string& client, const messages::Pull& pull, Turn& turn) {
  const CoordinatorConfig& config = shared_.config;
  const bool is_archive = pull.blob == config.model.archive;
  Trainee* t = trainees().find(client);
  if (t == nullptr || !t->is_expected()) return Stage::on_pull(client, pull, turn);
  const std::uint64_t bytes =
      is_archive ? config.model.archive_bytes : input_blob_bytes(config, *t->model, pull.blob);
  if (bytes == 0) return Stage::on_pull(client, pull, turn);
  if (!is_archive && !state_->served.has(t->model)) {
    // It came back too late for this model, and is sent a task on the newest one.
    end_task(client, *t, Outcome::late, "the model of its task is not served any more", turn);
    return Stage::on_pull(client, pull, turn);
  }
  const std::uint32_t chunk = config.process.chunk_bytes;
  const std::uint64_t range = pulled_range(pull, bytes, chunk);
  // A client that pulls the same bytes again and again makes no progress.
  t->pulled += range;
  if (t->pulled <= 4 * (config.model.archive_bytes + config.update_elements() * sizeof(float)))
    t->moved_at = turn.now;
  if (leads_to(*t->model, pull.blob) && range > 0 && pull.offset + range == bytes) t->has_model = true;
  return send_range(pull, bytes, chunk, *shared_.sessions.find(client), turn);
}

Result<UpdateTicket> BufferedStage::admit(const std::string& client, const Trainee& trainee,
                                          const messages::Offer& offer) const {
  const UpdateSizes sizes = plain_update_sizes(shared_.config);
  if (!sizes.has(offer.bytes))
    return fail(ErrorCode::protocol, "",
                "its update has " + std::to_string(offer.bytes) + " bytes, and " +
                    std::to_string(sizes.least) + " to " + std::to_string(sizes.most) + " are possible");
  HANSA_TRY_VOID(check_examples(shared_.config.settings, trainee.reported, offer.examples));
  return UpdateTicket{client,
                      trainee.work.opened,
                      offer.bytes,
                      offer.update,
                      offer.examples,
                      trainee.seed,
                      codec_seed(shared_.config, trainee.work.round)};
}

Reply BufferedStage::on_offer(const std::string& client, const messages::Offer& offer, Turn& turn) {
  Trainee* t = trainees().find(client);
  if (t != nullptr && offer.task == t->counted) {
    send_receipt(client, *t, turn);
    return Verdict::discarded;
  }
  if (t == nullptr || t->is_free() || offer.task != t->task) return Stage::on_offer(client, offer, turn);
  if (!t->is_expected()) return Verdict::discarded;  // its Receipt follows
  const auto ticket = admit(client, *t, offer);
  if (!ticket) return reject(client, *t, ticket.error().what, turn);
  const Verdict verdict = shared_.uploads.on_offer(*ticket, offer.task, turn);
  if (verdict == Verdict::accepted) t->offer = offer;
  return verdict;
}

Reply BufferedStage::on_chunk(const std::string& client, const messages::UpdateChunk& chunk,
                              std::uint64_t bulk_bytes, Turn& turn) {
  Trainee* t = trainees().find(client);
  if (t == nullptr || t->is_free() || chunk.task != t->task) return Verdict::discarded;  // late
  const auto outcome = shared_.uploads.on_chunk(client, chunk.offset, bulk_bytes, turn);
  if (outcome.verdict == Verdict::rejected) return Reply::violation(outcome.violation);
  t->moved_at = turn.now;
  if (outcome.completed) {
    t->seconds = seconds(turn.now - t->asked_at);
    (void)trainees().complete(*t, shared_.standing.last_committed.value + 1 - t->work.round.value);
    state_->complete.push_back(client);
  }
  return outcome.verdict;
}

Verdict BufferedStage::reject(const std::string& client, Trainee& trainee, const std::string& reason,
                              Turn& turn) {
  turn.warn_about(client, "rejected", LogEvent::update_rejected,
                  "rejected the update of " + client + ": " + reason);
  turn.send(client, messages::Receipt{trainee.task, messages::Verdict::rejected, reason});
  end_task(client, trainee, Outcome::rejected, reason, turn);
  note_failure(client, trainee, "its update was refused: " + reason, turn);
  return Verdict::rejected;
}

void BufferedStage::note_failure(const std::string& client, Trainee& trainee, const std::string& what,
                                 Turn& turn) {
  ++shared_.attempts_in_vain;
  trainee.ask_after = turn.now + pause_after(++trainee.failures);
  (void)blame(shared_, {{client, what}}, turn.now - trainee.asked_at, turn);
}

void BufferedStage::end_task(const std::string& client, Trainee& trainee, Outcome outcome,
                             const std::string& reason, Turn& turn) {
  shared_.uploads.drop(client, turn);
  state_->buffer.lose(client, outcome, reason);
  (void)trainees().end(trainee);
  look_for_clients_ = true;
}

void BufferedStage::cancel(const std::string& client, Trainee& trainee, Outcome outcome,
                           const std::string& reason, Turn& turn) {
  // A client whose update is finished waits for a verdict on it.
  if (shared_.uploads.state(client) == UploadState::none)
    turn.send(client, messages::Cancel{trainee.task, reason});
  else turn.send(client, messages::Receipt{trainee.task, messages::Verdict::late, reason});
  end_task(client, trainee, outcome, reason, turn);
}

void BufferedStage::cancel_all(const std::string& reason, Turn& turn) {
  for (auto& [client, trainee] : trainees().all())
    if (trainee.is_expected()) turn.send(client, messages::Cancel{trainee.task, reason});
  shared_.uploads.drop_all(turn);
}

Reply BufferedStage::on_decline(const std::string& client, const messages::Decline& decline, Turn& turn) {
  Trainee* t = trainees().find(client);
  if (t == nullptr || !t->is_expected() || decline.task != t->task) return Verdict::discarded;
  (void)set_aside(shared_, client, decline.report, turn.now - t->asked_at, turn);
  end_task(client, *t, Outcome::declined, reason_text(decline.report), turn);
  return Verdict::accepted;
}

void BufferedStage::on_session_opened(const SessionOpened& opened, Turn& turn) {
  const std::string& client = opened.client;
  shared_.uploads.release(client);
  look_for_clients_ = true;
  Trainee* t = trainees().find(client);
  if (t == nullptr) return;
  if (!t->is_expected()) return;
  (void)trainees().returned(*t);
  // What another process had trained on an older model is lost.
  const bool is_newest = t->work.round.value == shared_.standing.last_committed.value + 1;
  if (opened.process == Process::fresh && !is_newest)
    return end_task(client, *t, Outcome::disconnected, "it was started again", turn);
  send_task(client, *t, turn);
}

void BufferedStage::on_session_ended(const std::string& client, Turn&) {
  shared_.uploads.release(client);
  look_for_clients_ = true;
  if (Trainee* t = trainees().find(client)) (void)trainees().lost(*t);
}

void BufferedStage::on_left(const std::string& client, Turn& turn) { on_session_ended(client, turn); }

void BufferedStage::on_removed(const std::string& client, const std::string& why, Turn& turn) {
  Trainee* t = trainees().find(client);
  // An update that is complete stays, as in a round of a cohort.
  if (t != nullptr && t->is_expected()) end_task(client, *t, Outcome::rejected, why, turn);
}

void BufferedStage::on_tick(Turn& turn) {
  look_for_clients_ = true;
  shared_.uploads.grant_waiting(turn);
  for (auto& [client, trainee] : trainees().all())
    if (trainee.is_expected() && turn.now >= trainee.deadline) end_overdue(client, trainee, turn);
}

void BufferedStage::end_overdue(const std::string& client, Trainee& trainee, Turn& turn) {
  if (trainee.state == TraineeState::absent)
    return end_task(client, trainee, Outcome::disconnected, "its session ended and did not come back", turn);
  // The deadline limits work, not transfers. A client with faults has had its chance.
  const Duration overtime = overtime_factor * shared_.config.settings.cohort.deadline;
  const bool is_moving = trainee.moved_at && turn.now - *trainee.moved_at < shared_.config.process.stall;
  if (is_moving && shared_.reliability.faults(client) == 0 &&
      turn.now < trainee.asked_at + shared_.config.settings.cohort.deadline + overtime) {
    trainee.deadline = turn.now + look_again;
    return;
  }
  const std::string reason = "no update within cohort.deadline_s";
  cancel(client, trainee, Outcome::no_answer, reason, turn);
  note_failure(client, trainee, reason, turn);
}

void BufferedStage::fill(Progress& progress) const {
  progress.round = state_->buffer.round();
  std::map<std::string, round::Member, std::less<>> members;
  for (const auto& [client, p] : state_->buffer.participations())
    members[client] = {client, member_state(p.outcome), p.reason};
  for (const auto& [client, trainee] : state_->trainees.all()) {
    if (trainee.is_free()) continue;
    members[client] = {client, member_state(trainee.state), {}};
    if (const UploadState state = shared_.uploads.state(client);
        state == UploadState::waiting || state == UploadState::granted)
      progress.uploads.push_back({client, shared_.uploads.received(client),
                                  shared_.uploads.offered_bytes(client), state == UploadState::waiting});
  }
  for (auto& [client, member] : members) progress.members.push_back(std::move(member));
  progress.exchange = std::to_string(state_->buffer.counted()) + " of " +
                      std::to_string(shared_.config.settings.cohort.buffered.updates) +
                      " updates in the buffer";
}

}  // namespace hansa::server
