#include "server/engine/engine.h"

#include <algorithm>
#include <cassert>
#include <fstream>
#include <thread>

#include "protocols/messages/codec.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::server {
Engine::Engine(EngineConfig config, Store& store, Outbox& outbox, WorkerPool& workers, SpoolPool& spools,
               EngineObserver& observer)
    : config_(std::move(config)),
      store_(store),
      outbox_(outbox),
      spools_(spools),
      observer_(observer),
      accumulator_(config_.coordinator.elements, workers),
      encoded_updates_(accumulator_),
      model_(std::make_shared<PageVector<float>>(config_.coordinator.elements)) {}

Engine::~Engine() = default;

Result<std::unique_ptr<Engine>> Engine::create(EngineConfig config, Store& store, Outbox& outbox,
                                               WorkerPool& workers, SpoolPool& spools,
                                               EngineObserver& observer, Instant now) {
  std::unique_ptr<Engine> engine(new Engine(std::move(config), store, outbox, workers, spools, observer));
  HANSA_TRY(const auto position, store.position());
  if (!position) return fail(ErrorCode::internal, "store", "has no run");
  HANSA_TRY_VOID(store.get_model(position->model, *engine->model_));
  engine->now_ = now;
  if (auto& secure = engine->config_.coordinator.secure_sums; secure && position->round.value > 0) {
    HANSA_TRY(const auto last, store.round(position->round));
    if (last && last->secure) {
      secure->clip = last->secure->next_clip;
      secure->scales = last->secure->next_scales;
    }
  }
  HANSA_TRY(PublishedModel published, engine->restore_published(*position));
  engine->coordinator_ = std::make_unique<Coordinator>(engine->config_.coordinator, position->round,
                                                       position->model, std::move(published), now);
  return engine;
}

void Engine::receive(PeerId peer, std::string_view client, std::span<const std::byte> message,
                     std::span<const std::byte> bulk, Instant now) {
  now_ = now;
  const std::uint64_t bytes = message.size() + bulk.size();
  bytes_up_ += bytes;
  traffic_[std::string(client)].up += bytes;
  client_of_[peer] = client;
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

void Engine::stop(Instant now) {
  now_ = now;
  apply(StopAsked{});
}

void Engine::apply(const Event& event) {
  if (failure_) return;
  std::vector<Effect> effects;
  (void)coordinator_->apply(event, now_, effects);
  for (auto& effect : effects) queue_.push_back(std::move(effect));
  carry_out_all();
}

void Engine::carry_out_all() {
  while (!queue_.empty() && !failure_) {
    Effect effect = std::move(queue_.front());
    queue_.pop_front();
    if (config_.before_effect) config_.before_effect(effect);
    carry_out(effect);
  }
}

void Engine::carry_out(Effect& effect) {
  // What an effect brings about is applied at once, its effects go to the end of the queue.
  const auto answer = [this](const Event& event) {
    std::vector<Effect> effects;
    (void)coordinator_->apply(event, now_, effects);
    for (auto& e : effects) queue_.push_back(std::move(e));
  };
  struct CarryOut {
    Engine& engine;
    const std::function<void(const Event&)> answer;
    void operator()(Send& e) const { engine.deliver(e.peer, e.session, e.message, {}); }
    void operator()(SendBlob& e) const { engine.send_blob(e); }
    void operator()(SendHeld& e) const {
      engine.deliver(e.peer, e.session, e.message,
                     transport::Bulk{e.bulk, std::span<const std::byte>(*e.bulk)});
    }
    void operator()(BeginMaskedSum& e) const {
      std::vector<std::uint32_t> memory;
      if (engine.masked_sum_) memory = std::move(*engine.masked_sum_).release();
      engine.masked_sum_.emplace(e.context, e.clients, e.elements, e.ring_bits, std::move(memory));
    }
    void operator()(BeginSum& e) const {
      engine.round_started_at_ = engine.config_.wall_clock();
      engine.traffic_.clear();
      engine.encoded_updates_.forget();
      if (auto begun = engine.accumulator_.begin(e.bounds); !begun) engine.fail_run(std::move(begun).error());
      engine.observer_.on_round_started(e.round, e.bounds.updates_max);
    }
    void operator()(OpenSpool& e) const {
      if (!engine.spools_.has_room(e.bytes)) engine.encoded_updates_.finish();
      auto spool = Spool::create(engine.spools_, e.bytes);
      if (!spool) return engine.fail_run(std::move(spool).error());
      engine.update_of_.erase(e.client);
      engine.update_of_.try_emplace(e.client, std::move(*spool), engine.accumulator_);
    }
    void operator()(AppendSpool& e) const {
      const auto found = engine.update_of_.find(e.client);
      assert(found != engine.update_of_.end());
      auto appended = e.weight > 0 ? found->second.append_and_add(engine.bulk_, e.weight)
                                   : found->second.append(engine.bulk_);
      if (!appended) engine.fail_run(std::move(appended).error());
    }
    void operator()(CheckUpdate& e) const {
      auto outcome = engine.check_update(e);
      // Not the client's fault, and a part of the update may be in the sum.
      if (!outcome && outcome.error().code == ErrorCode::storage)
        return engine.fail_run(std::move(outcome).error());
      answer(UpdateChecked{e.client, std::move(outcome)});
    }
    void operator()(DropSpool& e) const { engine.update_of_.erase(e.client); }
    void operator()(CommitRound& e) const {
      const RoundId round = e.record.round;
      auto next = engine.next_model();
      RoundCommitted committed{round, {}};
      if (e.unmask) {
        if (auto finished = engine.finish_secure_sum(*e.unmask, *e.record.secure, *next); !finished)
          return answer(SumRefused{round, finished.error().text()});
        committed.next_clip = e.record.secure->next_clip;
        committed.next_scales = e.record.secure->next_scales;
      } else {
        assert(engine.update_of_.empty());  // what was not counted has left the sum
        engine.encoded_updates_.finish();
        engine.accumulator_.finish(*engine.model_, *next);
      }
      engine.commit(std::move(e.record), std::move(next));
      committed.model = engine.committed_model_;
      committed.published = engine.published_model(engine.committed_model_);
      if (!engine.failure_) answer(std::move(committed));
    }
    void operator()(Log& e) const { engine.observer_.on_log(e.level, e.text); }
    void operator()(Finish& e) const { engine.finished_ = std::move(e); }
  };
  std::visit(CarryOut{*this, answer}, effect);
}

void Engine::deliver(PeerId peer, SessionId session, const messages::ToClient& message,
                     const transport::Bulk& bulk) {
  const auto frame = messages::encode(session, message);
  const transport::Sent sent = outbox_.send(peer, frame, bulk);
  if (sent == transport::Sent::queued) {
    const std::uint64_t bytes = frame.size() + bulk.bytes.size();
    bytes_down_ += bytes;
    if (const auto client = client_of_.find(peer); client != client_of_.end())
      traffic_[client->second].down += bytes;
    return;
  }
  // A peer whose queue is full does not read; it is treated like one that is gone, and says Hello again.
  std::vector<Effect> effects;
  (void)coordinator_->apply(PeerGone{peer}, now_, effects);
  for (auto& effect : effects) queue_.push_back(std::move(effect));
  if (sent == transport::Sent::peer_gone) client_of_.erase(peer);
}

void Engine::send_blob(const SendBlob& blob) {
  transport::Bulk bulk;
  const auto delta =
      std::ranges::find(deltas_, blob.blob, [](const HeldDelta& held) { return held.delta.blob; });
  if (blob.blob == coordinator_->published().model) {
    const auto& whole = published_ ? published_ : model_;
    bulk.owner = whole;
    bulk.bytes = std::as_bytes(std::span(*whole)).subspan(blob.offset, blob.bytes);
  } else if (delta != deltas_.end()) {
    bulk.owner = delta->bytes;
    bulk.bytes = std::span(*delta->bytes).subspan(blob.offset, blob.bytes);
  } else {
    // Archives are read as they are asked for: they may be as large as the model and are sent once a client.
    auto buffer = std::make_shared<std::vector<std::byte>>(blob.bytes);
    std::ifstream file(config_.archive, std::ios::binary);
    file.seekg(static_cast<std::streamoff>(blob.offset));
    file.read(reinterpret_cast<char*>(buffer->data()), static_cast<std::streamsize>(blob.bytes));
    if (!file)
      return fail_run(Error{ErrorCode::storage, config_.archive.string(), "cannot be read",
                            "it must stay while the run does"});
    bulk.bytes = *buffer;
    bulk.owner = std::move(buffer);
  }
  deliver(blob.peer, blob.session, messages::BlobChunk{blob.blob, blob.offset}, bulk);
}

// Receive, verify, then count: of an update that is not sound nothing is in the sum.
Result<void> Engine::check_update(const CheckUpdate& check) {
  const auto found = update_of_.find(check.client);
  assert(found != update_of_.end());
  const Spool& spool = found->second.spool();
  if (!spool.complete()) return fail(ErrorCode::internal, check.client, "its update is not complete");
  if (spool.checksum() != check.update)
    return fail(ErrorCode::protocol, "update", "does not match the checksum that was offered");
  if (check.masked_of) {
    HANSA_TRY(const auto packed, spool.whole(packed_));
    return masked_sum_->add(*check.masked_of, packed);
  }
  if (!check.encoded) return found->second.count(check.examples);
  const CoordinatorConfig& config = config_.coordinator;
  return encoded_updates_.add(*config.compression.uplink, *check.encoded,
                              static_cast<float>(config.limits.magnitude_max), found->second.release_spool(),
                              check.examples);
}

Result<void> Engine::finish_secure_sum(const Unmask& unmask, SecureSumRecord& record, std::span<float> next) {
  if (masked_sum_->contributors() != unmask.survivors)
    return fail(ErrorCode::internal, "masked sum", "is not of the clients whose shares were told");
  HANSA_TRY(const auto plain, masked_sum_->unmask(unmask.terms, std::thread::hardware_concurrency()));
  mean_.resize(next.size());
  const auto clients = static_cast<std::uint32_t>(unmask.survivors.count());
  HANSA_TRY(const auto totals, secure_aggregation::dequantise(plain, clients, unmask.setup, mean_));
  for (std::size_t i = 0; i < next.size(); ++i) next[i] = (*model_)[i] + mean_[i];
  record.examples = static_cast<std::uint64_t>(totals.weight);
  record.metrics = totals.metrics;
  const auto grid =
      secure_aggregation::choose_grid(unmask.setup.clients, config_.coordinator.secure_sums->value_bits);
  const auto range = secure_aggregation::choose_range(totals, clients, grid.levels, unmask.setup);
  record.next_clip = range.clip;
  for (const double scale : range.scales)
    record.next_scales.push_back(scale * unmask.setup.quantisation.weight_unit);
  return {};
}

std::shared_ptr<PageVector<float>> Engine::next_model() const {
  return model_.use_count() == 1 ? model_ : std::make_shared<PageVector<float>>(model_->size());
}

void Engine::commit(RoundRecord record, std::shared_ptr<PageVector<float>> next) {
  model_ = std::move(next);
  // The disk and the codec need not wait for each other.
  Result<Digest> digest{Digest{}};
  Result<std::optional<Published>> published{std::nullopt};
  {
    std::optional<std::jthread> storing;
    const auto store = [&] { digest = store_.put_model(*model_); };
    if (model_->size() >= elements_worth_a_thread) storing.emplace(store);
    else store();
    if (config_.coordinator.compression.downlink) published = publish(record.round);
    else model_check_ = checksum(std::span<const float>(*model_));
    accumulator_.clear();
  }
  if (!digest) return fail_run(std::move(digest).error());
  if (!published) return fail_run(std::move(published).error());
  record.model = *digest;
  record.published = *published;
  if (published_ == model_) published_digest_ = record.model;
  record.started_at = round_started_at_;
  for (auto& p : record.participations) {
    const auto traffic = traffic_.find(p.client);
    if (traffic == traffic_.end()) continue;
    p.bytes_up = traffic->second.up;
    p.bytes_down = traffic->second.down;
  }
  if (auto committed = store_.commit_round(record); !committed) return fail_run(std::move(committed).error());
  committed_model_ = *digest;
  observer_.on_committed(record);
}

void Engine::fail_run(Error error) {
  observer_.on_log(Log::Level::warning, error.text());
  failure_ = std::move(error);
}

}  // namespace hansa::server
