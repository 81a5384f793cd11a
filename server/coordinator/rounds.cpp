// Rounds: when one starts, with whom, and what becomes of it.
#include <algorithm>
#include <cmath>

#include "server/coordinator/coordinator.h"
#include "server/coordinator/internal/member.h"
#include "server/coordinator/internal/secure_round.h"

namespace hansa::server {
namespace {

std::string join(const std::vector<std::string>& names, std::size_t most) {
  std::string out;
  for (std::size_t i = 0; i < names.size() && i < most; ++i) out += (i > 0 ? ", " : "") + names[i];
  if (names.size() > most) out += " and " + std::to_string(names.size() - most) + " more";
  return out;
}

std::uint32_t part_of(double fraction, std::size_t of) {
  // The small subtraction keeps 0.7 * 10 at 7 although the product is a little more.
  const double exact = std::ceil(fraction * static_cast<double>(of) - 1e-9);
  return static_cast<std::uint32_t>(std::clamp(exact, 1.0, static_cast<double>(of)));
}

}  // namespace

std::vector<std::string> Coordinator::eligible_clients() const {
  std::vector<std::string> out;
  for (const auto& [name, m] : members_)
    if (m->session && m->session->connected && m->examples > 0 && (!config_.secure_sums || m->certificate))
      out.push_back(name);
  return out;  // sorted: the map is
}

std::vector<std::string> Coordinator::missing_clients() const {
  std::vector<std::string> out;
  for (const auto& name : config_.admitted) {
    const auto found = members_.find(name);
    if (found == members_.end() || !found->second->session) out.push_back(name);
    else if (found->second->examples == 0) out.push_back(name + " (no data)");
    else if (config_.secure_sums && !found->second->certificate) out.push_back(name + " (no certificate)");
  }
  return out;
}

void Coordinator::start_round_if_ready() {
  if (last_committed_.value >= config_.rounds) {
    if (config_.after_last_round == AfterLastRound::stay) return;
    finish(Finish::Why::all_rounds, "all " + std::to_string(config_.rounds) + " rounds are done");
    return;
  }
  if (now_ < retry_at_) return;
  const auto eligible = eligible_clients();
  const bool enough = eligible.size() >= config_.cohort.clients_min;
  if (!gathered_ && (eligible.size() >= config_.cohort.clients_expected ||
                     (enough && now_ >= phase_began_ + config_.cohort.gather)))
    gathered_ = true;
  if (enough && gathered_) {
    start_round(eligible);
    return;
  }
  if (!enough && now_ >= phase_began_ + config_.cohort.wait_max) {
    const auto missing = missing_clients();
    finish(Finish::Why::gave_up, std::to_string(eligible.size()) + " of the " +
                                     std::to_string(config_.cohort.clients_min) +
                                     " clients that cohort.clients_min needs came within " +
                                     std::to_string(config_.cohort.wait_max / std::chrono::seconds(1)) +
                                     " s" + (missing.empty() ? "" : "; missing: " + join(missing, 12)));
  }
}

void Coordinator::start_round(const std::vector<std::string>& eligible) {
  const RoundId id(last_committed_.value + 1);
  std::vector<std::string> cohort = eligible;
  std::uint32_t size = part_of(config_.cohort.fraction, eligible.size());
  if (config_.cohort.size_max > 0) size = std::min(size, config_.cohort.size_max);
  if (config_.secure_sums)
    size = std::min(size, secure_aggregation::clients_max_of(config_.secure_sums->assumptions));
  if (size < cohort.size()) {
    // From (seed, round) over the sorted names: a restart picks the same cohort from the same clients.
    Random order(derive_seed(config_.seed, "cohort", id.value));
    order.shuffle(std::span(cohort));
    cohort.resize(size);
    std::sort(cohort.begin(), cohort.end());
  }
  auto created = round::Round::create(
      id, round::Config{part_of(config_.cohort.quorum, cohort.size()), now_ + config_.cohort.deadline},
      cohort);
  if (!created) {
    finish(Finish::Why::gave_up, created.error().text());
    return;
  }
  round_ = std::move(*created);
  round_began_ = phase_began_ = now_;
  phase_ = Phase::in_round;
  uploads_ = 0;
  clear_upload_queue();
  AccumulationBounds bounds;
  bounds.weight_max = config_.limits.examples_max;
  bounds.updates_max = static_cast<std::uint32_t>(cohort.size());
  bounds.magnitude_max = static_cast<float>(config_.limits.magnitude_max);
  effects_->emplace_back(RoundStarted{id, bounds.updates_max});
  if (!config_.secure_sums) effects_->emplace_back(BeginUpdates{PlainSetup{bounds, cohort_seed()}});
  for (std::uint32_t i = 0; i < cohort.size(); ++i) {
    Member& m = member(cohort[i]);
    m.place = round::MemberIndex(i);
    m.task = make_task_id(config_.seed, config_.run, id, m.name);
    m.asked_at = now_;
    m.seconds = 0;
    m.pulled = 0;
    m.moved_at.reset();
    m.upload = Upload{};
    m.left_sum = false;
  }
  if (config_.secure_sums) begin_secure_sum(cohort);
  for (const std::string& client : cohort)
    if (phase_ == Phase::in_round) send_task(member(client));
}

// A client that is asked for work and says that it is at none has missed its task.
void Coordinator::repeat_lost_task(Member& m, TaskId at_work_on) {
  constexpr Duration in_flight = std::chrono::seconds(5);
  if (phase_ != Phase::in_round || !m.place || at_work_on == m.task || now_ - m.task_sent_at < in_flight)
    return;
  if (round_->members()[m.place->value].state == round::MemberState::pending) send_task(m);
}

std::uint64_t Coordinator::training_seed(const Member& m) const {
  return derive_seed(config_.seed, "train", round_->id().value, m.name);
}

std::uint64_t Coordinator::cohort_seed() const {
  return derive_seed(config_.seed, "codec places", round_->id().value);
}

messages::TrainTask Coordinator::make_task(const Member& m) const {
  messages::TrainTask task;
  task.task = m.task;
  task.round = round_->id();
  task.archive = config_.archive;
  task.archive_bytes = config_.archive_bytes;
  messages::TaskInput model{
      std::string(model_input), published_.model, config_.elements * sizeof(float), published_.check, {}};
  if (!published_.deltas.empty())
    model.deltas = messages::ModelDeltas{
        {config_.compression.downlink->segments().begin(), config_.compression.downlink->segments().end()},
        published_.deltas};
  task.inputs.push_back(std::move(model));
  messages::TaskOutput delta{std::string(delta_output), config_.elements, {}};
  task.layout = config_.layout;
  task.method = sgd_method(config_.training);
  task.seed = training_seed(m);
  const Duration left = std::max(round_->deadline() - now_, Duration::zero());
  task.deadline_ms = static_cast<std::uint32_t>(left / std::chrono::milliseconds(1));
  task.magnitude_max = config_.limits.magnitude_max;
  if (const auto& uplink = config_.compression.uplink; uplink && !config_.secure_sums) {
    delta.segments.assign(uplink->segments().begin(), uplink->segments().end());
    task.compression = messages::Compression{config_.compression.entropy, cohort_seed()};
  }
  task.outputs.push_back(std::move(delta));
  if (secure_) {
    const secure_aggregation::SumSetup& setup = secure_->sum.setup();
    task.secure = messages::SecureTask{setup.attempt,  setup.nonce,   setup.clients,    setup.quantisation,
                                       setup.segments, setup.metrics, setup.assumptions};
  }
  return task;
}

void Coordinator::send_task(Member& m) {
  m.task_sent_at = now_;
  send(m, make_task(m));
  if (secure_) repeat_sum_message(m);
}

// The deadline is not a limit on the whole of a transfer: a round that lacks its quorum at the deadline waits on for
// those whose bytes still come, if they would make it.
void Coordinator::wait_for_what_moves() {
  constexpr Duration look_again = std::chrono::seconds(5);
  if (now_ < round_->closes_at() || round_->count(round::MemberState::counted) >= round_->quorum()) return;
  std::vector<std::string> moving;
  for (const auto& rm : round_->members()) {
    const bool waited_for = rm.state == round::MemberState::pending || rm.state == round::MemberState::absent;
    const std::optional<Instant> moved = member(rm.client).moved_at;
    if (waited_for && moved && now_ - *moved < config_.stall) moving.push_back(rm.client);
  }
  const std::size_t within_reach = round_->count(round::MemberState::counted) +
                                   round_->count(round::MemberState::verifying) + moving.size();
  if (moving.empty() || within_reach < round_->quorum()) return;
  if (round_->closes_at() == round_->deadline())
    log(Log::Level::warning,
        "round " + std::to_string(round_->id().value) +
            " is past its deadline without its quorum and waits for what still arrives from " +
            join(moving, 8) + "; a longer cohort.deadline_s lets more clients take part");
  round_->wait_until(now_ + look_again);
}

void Coordinator::apply_to_round(const round::Event& event) {
  wait_for_what_moves();
  std::vector<round::Effect> round_effects;
  (void)round_->apply(event, now_, round_effects);
  for (const auto& effect : round_effects) {
    if (std::holds_alternative<round::Seal>(effect)) seal();
    if (const auto* abandoned = std::get_if<round::Abandon>(&effect)) abandon(abandoned->reason);
  }
}

// Nobody's work on the round counts any more.
void Coordinator::close_round() {
  for (auto& [name, m] : members_) {
    if (!m->place) continue;
    const auto state = round_->members()[m->place->value].state;
    if (state == round::MemberState::pending || state == round::MemberState::absent)
      send(*m, messages::Cancel{m->task, "the round is closed"});
    drop_spool(*m);
    // Whole: a slot that a later round's session gave back again would be counted twice.
    m->upload = Upload{};
  }
  uploads_ = 0;
  clear_upload_queue();
}

void Coordinator::seal() {
  if (secure_) return begin_unmasking();
  CommitRound done{make_record()};
  close_round();
  commit(std::move(done));
}

void Coordinator::commit(CommitRound done) {
  phase_ = Phase::committing;
  phase_began_ = now_;
  effects_->emplace_back(std::move(done));
}

RoundRecord Coordinator::make_record() {
  RoundRecord record;
  record.round = round_->id();
  record.base = model_;
  record.attempt = attempt_;
  record.seconds = seconds(now_ - round_began_);
  for (const auto& rm : round_->members()) {
    const Member& m = member(rm.client);
    Participation p;
    p.client = rm.client;
    p.reason = rm.reason;
    switch (rm.state) {
      case round::MemberState::counted:
        p.outcome = Outcome::counted;
        p.examples = m.upload.offer.examples;
        p.update = m.upload.offer.update;
        p.train_seconds = m.upload.offer.train_seconds;
        p.metrics = m.upload.offer.metrics;
        p.seconds = m.seconds;
        break;
      case round::MemberState::declined: p.outcome = Outcome::declined; break;
      case round::MemberState::rejected: p.outcome = Outcome::rejected; break;
      case round::MemberState::absent:
        p.outcome = Outcome::disconnected;
        p.reason = "its session ended and did not come back";
        break;
      case round::MemberState::pending:
      case round::MemberState::verifying:
        if (m.upload.state != UploadState::none) {
          p.outcome = Outcome::late;
          p.reason = std::to_string(m.upload.received) + " of " + std::to_string(m.upload.offer.bytes) +
                     " bytes of its update had arrived";
        } else {
          p.outcome = Outcome::no_answer;
          p.reason = "no update before the deadline";
        }
        break;
    }
    record.participations.push_back(std::move(p));
  }
  return record;
}

void Coordinator::abandon(const std::string& too_few) {
  // One client's reason is often that of all: a model that does not train on their data.
  std::string reason = too_few;
  const auto& members = round_->members();
  const auto refused =
      std::find_if(members.begin(), members.end(), [](const auto& m) { return !m.reason.empty(); });
  if (refused != members.end()) reason += "; " + refused->client + " says: " + refused->reason;
  log(Log::Level::warning, "round " + std::to_string(round_->id().value) + ", attempt " +
                               std::to_string(attempt_) + ", is abandoned: " + reason);
  close_round();
  end_secure_sum();
  for (auto& [name, m] : members_) m->place.reset();
  if (attempt_ >= config_.cohort.attempts_max) {
    finish(Finish::Why::gave_up, "round " + std::to_string(round_->id().value) + " missed its quorum " +
                                     std::to_string(attempt_) + " times: " + reason);
    return;
  }
  retry_at_ = now_ + std::chrono::seconds(std::min(attempt_, 5U));
  ++attempt_;
  round_.reset();
  phase_ = Phase::gathering;
  phase_began_ = now_;
}

void Coordinator::on_committed(const RoundCommitted& event) {
  std::vector<round::Effect> none;
  (void)round_->apply(round::CommitDone{}, now_, none);
  last_committed_ = event.round;
  model_ = event.model;
  published_ = event.published;
  if (secure_) {
    clip_ = event.next_clip;
    scales_ = event.next_scales;
  }
  end_secure_sum();
  attempt_ = 1;
  for (auto& [name, m] : members_) m->place.reset();
  round_.reset();
  phase_ = Phase::gathering;
  phase_began_ = now_;
}

void Coordinator::finish(Finish::Why why, const std::string& text) {
  for (auto& [name, m] : members_) {
    if (why == Finish::Why::all_rounds) send(*m, messages::Finished{last_committed_, model_});
    else send(*m, messages::Bye{"the aggregator stops"});
    drop_spool(*m);
    m->upload = Upload{};
    m->place.reset();
  }
  secure_.reset();
  phase_ = Phase::finished;
  finished_why_ = why;
  phase_began_ = now_;
  effects_->emplace_back(Finish{why, text});
}

}  // namespace hansa::server
