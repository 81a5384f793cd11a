#include "server/engine/engine.h"

#include <utility>

#include "common/vector_digest.h"
#include "protocols/messages/codec.h"
#include "server/engine/internal/last_counted.h"
#include "server/engine/internal/round_committer.h"
#include "server/engine/internal/served_blobs.h"
#include "server/engine/internal/traffic.h"

namespace hansa::server {
namespace {

UpdateFormConfig form_config(const CoordinatorConfig& config) {
  UpdateFormConfig out{config.update_elements(), config.compression.uplink, {}, config.settings.aggregation};
  if (const auto& secure = config.settings.secure_sums) out.masked_value_bits = secure->value_bits;
  if (config.settings.cohort.mode == CohortMode::buffered) out.sum_of = SumOf::buffer;
  out.vectors = 1 + config.settings.vectors.size();
  return out;
}

std::vector<std::string> inputs_of(const std::vector<ExchangedVector>& vectors) {
  std::vector<std::string> out;
  for (const ExchangedVector& vector : vectors) out.push_back(vector.input);
  return out;
}

}  // namespace

Engine::Engine(EngineConfig config, const EngineParts& parts)
    : config_(std::move(config)),
      parts_(parts),
      form_(make_update_form(form_config(config_.coordinator), parts.workers, parts.spools)),
      committer_(std::make_unique<internal::RoundCommitter>(
          internal::CommitterConfig{
              config_.coordinator.model.elements, config_.coordinator.compression, config_.optimizer,
              config_.coordinator.settings.method, inputs_of(config_.coordinator.settings.vectors),
              config_.coordinator.settings.secure_sums ? internal::ValueDigests::computed
                                                       : internal::ValueDigests::omitted,
              config_.layer_sizes},
          parts.store, *form_, parts.workers)),
      blobs_(std::make_unique<internal::ServedBlobs>(config_.coordinator.model.archive, config_.archive)),
      traffic_(std::make_unique<internal::Traffic>()) {}

Engine::~Engine() { parts_.executor.wait(); }

void Engine::add_constants() {
  CoordinatorConfig& coordinator = config_.coordinator;
  for (const ConstantInput& constant : config_.constants) {
    const std::vector<float>& values = *constant.values;
    const Digest digest = vector_digest(values);
    messages::TaskInput input{constant.name,
                              messages::name_of_input(constant.name, digest),
                              values.size() * sizeof(float),
                              checksum(std::span<const float>(values)),
                              {}};
    if (coordinator.settings.secure_sums) input.values = digest;
    blobs_->add_constant(input.vector, constant.values);
    coordinator.constants.push_back(std::move(input));
  }
}

Result<std::unique_ptr<Engine>> Engine::create(EngineConfig config, const EngineParts& parts, Instant now) {
  std::unique_ptr<Engine> engine(new Engine(std::move(config), parts));
  HANSA_TRY(const auto position, parts.store.position());
  if (!position) return fail(ErrorCode::internal, "store", "has no run");
  engine->now_ = now;
  engine->add_constants();
  SumRange sum_range;
  std::optional<UtcSeconds> last_started;
  std::vector<StateVector> state = engine->config_.initial_state;
  if (position->round.value > 0) {
    HANSA_TRY(auto last, parts.store.round(position->round));
    if (!last) return fail(ErrorCode::storage, "store", "has lost its last round");
    last_started = parse_rfc3339(last->started_at);
    state = std::move(last->state);
    if (last->secure) sum_range = {last->secure->next_clip, last->secure->next_scales};
  }
  const OperatorSettings& settings = engine->config_.coordinator.settings;
  HANSA_TRY(auto counted,
            internal::read_last_counted(parts.store, position->round,
                                        {settings.seed, engine->config_.run, settings.admitted}));
  HANSA_TRY(auto served, engine->committer_->restore(*position, state, parts.observer));
  engine->coordinator_ = std::make_unique<Coordinator>(
      engine->config_.coordinator,
      RestoredState{engine->config_.run, position->round, position->model, served.names, std::move(sum_range),
                    last_started, std::move(counted)},
      now);
  engine->blobs_->serve(std::move(served));
  return engine;
}

std::uint64_t Engine::bytes_up() const { return traffic_->up(); }
std::uint64_t Engine::bytes_down() const { return traffic_->down(); }

void Engine::receive(PeerId peer, std::string_view client, std::span<const std::byte> message,
                     std::span<const std::byte> bulk, Instant now) {
  now_ = now;
  traffic_->received(peer, client, message.size() + bulk.size());
  const auto decoded = messages::decode_to_aggregator(message);
  if (!decoded) {
    apply(MessageMalformed{peer, client, decoded.error()});
    return;
  }
  if (const auto* misdirected = std::get_if<messages::Misdirected>(&*decoded)) {
    apply(MessageMisdirected{peer, client, misdirected->session, misdirected->type, bulk.size()});
    return;
  }
  const auto& envelope = std::get<messages::Envelope<messages::ToAggregator>>(*decoded);
  bulk_ = bulk;
  apply(MessageArrived{peer, client, envelope.session, envelope.message, bulk.size()});
  bulk_ = {};
}

void Engine::tick(Instant now) {
  now_ = now;
  apply(TickEvent{});
}

void Engine::change_admission(std::vector<std::string> admitted, std::vector<std::string> removed,
                              Instant now) {
  now_ = now;
  apply(AdmissionChanged{std::move(admitted), std::move(removed)});
}

void Engine::conclude(std::string why, Instant now) {
  now_ = now;
  apply(EnoughReached{std::move(why)});
}

void Engine::forgive(std::vector<std::string> clients, Instant now) {
  now_ = now;
  apply(FaultsForgiven{std::move(clients)});
}

void Engine::stop(Instant now) {
  now_ = now;
  apply(StopAsked{});
}

void Engine::apply(const Event& event) {
  if (failure_) return;
  feed(event);
  carry_out_all();
}

void Engine::feed(const Event& event) {
  pump_.feed([&](std::vector<Effect>& effects) { (void)coordinator_->apply(event, now_, effects); });
}

struct Engine::CarryOut {
  Engine& engine;

  void operator()(Send& e) const { engine.deliver(e.peer, e.session, e.message, {}); }
  void operator()(SendBlob& e) const { engine.send_blob(e); }
  void operator()(SendHeld& e) const {
    engine.deliver(e.peer, e.session, e.message,
                   transport::Bulk{e.bulk, std::span<const std::byte>(*e.bulk)});
  }
  void operator()(FindCertificate& e) const {
    const auto& find = engine.config_.certificate;
    engine.feed(CertificateFound{e.client, find ? find(e.client) : std::nullopt});
  }
  void operator()(RoundStarted& e) const {
    engine.round_started_at_ = engine.config_.wall_clock();
    engine.traffic_->begin_round();
    engine.parts_.observer.on_round_started(e.round, e.cohort);
  }
  void operator()(BeginUpdates& e) const { must(engine.form_->begin(e.setup)); }
  void operator()(OpenUpdate& e) const { must(engine.form_->open(e.ticket)); }
  void operator()(AppendUpdate& e) const { must(engine.form_->append(e.client, engine.bulk_)); }
  void operator()(CountUpdate& e) const {
    if (e.terms) engine.form_->amend(e.client, *e.terms);
    auto outcome = engine.form_->count(e.client);
    // A storage failure is not the client's fault, and a part of the update may be in the sum.
    if (!outcome && outcome.error().code == ErrorCode::storage)
      return engine.fail_run(std::move(outcome).error());
    if (!outcome) return engine.feed(UpdateChecked{e.client, tl::unexpected<Error>(outcome.error())});
    engine.feed(UpdateChecked{e.client, {}, std::move(outcome->norms)});
  }
  void operator()(DropUpdate& e) const { engine.form_->drop(e.client); }
  void operator()(DropSum& e) const { engine.form_->drop_sum(e.sum); }
  void operator()(OpenMasks& e) const { engine.open_masks(e); }
  void operator()(CommitRound& e) const { engine.commit(e); }
  void operator()(AttemptAbandoned& e) const { engine.record_abandoned(e); }
  void operator()(Disconnect& e) const {
    engine.parts_.outbox.disconnect(e.peer);
    engine.traffic_->forget(e.peer);
  }
  void operator()(DisconnectClient& e) const {
    engine.parts_.outbox.disconnect_client(e.client);
    engine.traffic_->forget_client(e.client);
  }
  void operator()(Log& e) const { engine.parts_.observer.on_log(e); }
  void operator()(Finish& e) const { engine.finished_ = std::move(e); }

  void must(Result<void> done) const {
    if (!done) engine.fail_run(std::move(done).error());
  }
};

void Engine::carry_out_all() {
  if (carrying_out_) return;  // an inline executor answered at once; the caller carries out the rest
  struct Mark {
    bool& mark;
    explicit Mark(bool& m) : mark(m) { mark = true; }
    ~Mark() { mark = false; }
  } const mark(carrying_out_);
  pump_.run(
      [this](Effect& effect) {
        if (config_.before_effect) config_.before_effect(effect);
        std::visit(CarryOut{*this}, effect);
      },
      [this] { return failure_.has_value(); });
}

void Engine::deliver(PeerId peer, SessionId session, const messages::ToClient& message,
                     const transport::Bulk& bulk) {
  const auto frame = messages::encode(session, message);
  const transport::Sent sent = parts_.outbox.send(peer, frame, bulk);
  if (sent == transport::Sent::queued) {
    traffic_->sent(peer, frame.size() + bulk.bytes.size());
    return;
  }
  // A peer whose queue is full is not reading. It is treated like a disconnected peer, and sends Hello again.
  feed(PeerGone{peer});
  if (sent == transport::Sent::peer_gone) traffic_->forget(peer);
}

void Engine::send_blob(const SendBlob& blob) {
  auto bulk = blobs_->read(blob.blob, blob.offset, blob.bytes);
  if (!bulk) return fail_run(std::move(bulk).error());
  if (*bulk) deliver(blob.peer, blob.session, messages::BlobChunk{blob.blob, blob.offset}, **bulk);
  else deliver(blob.peer, blob.session, messages::Missing{blob.blob}, {});
}

void Engine::open_masks(OpenMasks& effect) {
  auto given = std::make_shared<OpenMasks>(std::move(effect));
  auto opened = std::make_shared<secure_aggregation::OpenedMasks>();
  parts_.executor.run(
      [given, opened] { *opened = secure_aggregation::open_masks(given->revealed, given->effort); },
      [this, given, opened] {
        feed(MasksOpened{given->revealed.context, opened});
        carry_out_all();
      });
}

struct Engine::Commit {
  RoundRecord record;
  std::optional<SumOpening> opening;
  internal::RoundFacts facts;
  internal::CommitOutcome outcome;
};

// The end of a round: CommitRound -> RoundCommitter::commit on the executor -> on_commit_done -> RoundCommitted.
void Engine::commit(CommitRound& effect) {
  auto commit = std::make_shared<Commit>(
      std::move(effect.record), std::move(effect.opening),
      internal::RoundFacts{.clients = effect.clients, .output_scale = effect.output_scale});
  commit->record.started_at = round_started_at_;
  traffic_->fill_in(commit->record.participations);
  blobs_->withdraw(effect.fetched);
  parts_.executor.run(
      [this, commit] {
        commit->outcome = committer_->commit(std::move(commit->record), commit->opening, commit->facts);
      },
      [this, commit] { on_commit_done(*commit); });
}

void Engine::on_commit_done(Commit& commit) {
  if (auto* error = std::get_if<Error>(&commit.outcome)) return fail_run(std::move(*error));
  if (auto* refused = std::get_if<internal::Refused>(&commit.outcome)) {
    blobs_->serve(std::move(refused->served));
    feed(SumRefused{refused->round, std::move(refused->reason)});
  } else {
    auto& [record, served] = std::get<internal::Committed>(commit.outcome);
    RoundCommitted committed{record.round, record.model, served.names};
    if (record.secure) committed.next_range = {record.secure->next_clip, record.secure->next_scales};
    blobs_->serve(std::move(served));
    parts_.observer.on_committed(record);
    feed(committed);
  }
  carry_out_all();
}

// Rounds do not depend on the record: without it the run continues.
void Engine::record_abandoned(const AttemptAbandoned& effect) {
  const AbandonedAttempt attempt{effect.round, effect.attempt, config_.wall_clock(), effect.cause,
                                 effect.reason};
  const auto recorded = std::make_shared<Result<void>>();
  parts_.executor.run([this, attempt, recorded] { *recorded = parts_.store.record_abandoned(attempt); },
                      [this, recorded] {
                        if (!*recorded)
                          parts_.observer.on_log({Log::Level::warning, recorded->error().text()});
                      });
}

void Engine::fail_run(Error error) {
  parts_.observer.on_log({Log::Level::warning, error.text()});
  failure_ = std::move(error);
}

}  // namespace hansa::server
