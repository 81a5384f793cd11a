#include "client/engine/engine.h"

#include <cassert>
#include <cmath>
#include <cstring>

#include "protocols/messages/codec.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::client {

Engine::Engine(EngineConfig config, Link& link, TrainingRunner& runner, ArchiveStore& archives, Instant now)
    : config_(std::move(config)),
      link_(link),
      runner_(runner),
      archives_(archives),
      agent_(config_.agent, now),
      vectors_(std::make_shared<TaskVectors>()),
      now_(now) {}

messages::DataReport data_report(const Result<learning::DataAtHand>& data) {
  messages::DataReport out;
  if (data) {
    out.examples = data->examples;
    out.new_examples = data->new_examples;
    out.problem = data->problem;
  } else {
    out.problem = data.error().text();
  }
  return out;
}

void Engine::data_known(const messages::DataReport& data, Instant now) {
  now_ = now;
  apply(DataKnown{data});
}

void Engine::link_up(Instant now) {
  now_ = now;
  apply(LinkUp{});
}

void Engine::link_down(const Error& error, Instant now) {
  now_ = now;
  apply(LinkDown{error});
}

void Engine::receive(std::span<const std::byte> message, std::span<const std::byte> bulk, Instant now) {
  now_ = now;
  const auto envelope = messages::decode(message);
  if (!envelope) {
    apply(ReceivedMalformed{envelope.error()});
    return;
  }
  bulk_ = bulk;
  apply(Received{envelope->session, envelope->message, bulk});
  bulk_ = {};
}

void Engine::training_ended(const messages::TrainTask& task, const Result<learning::TrainingResult>& result,
                            Instant now) {
  now_ = now;
  trained_.reset();
  if (result) trained_ = Trained{task.task, result->data_mark};
  apply(TrainingEnded{task.task, make_offer(task, result)});
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
  std::vector<Effect> effects;
  agent_.apply(event, now_, effects);
  for (auto& effect : effects) queue_.push_back(std::move(effect));
  while (!queue_.empty()) {
    Effect effect = std::move(queue_.front());
    queue_.pop_front();
    if (config_.before_effect) config_.before_effect(effect);
    carry_out(effect);
  }
}

void Engine::carry_out(Effect& effect) {
  const auto answer = [this](const Event& event) {
    std::vector<Effect> effects;
    agent_.apply(event, now_, effects);
    for (auto& e : effects) queue_.push_back(std::move(e));
  };
  struct CarryOut {
    Engine& engine;
    const std::function<void(const Event&)> answer;
    void operator()(OpenLink& e) const { engine.link_.open(e.attempt); }
    void operator()(CloseLink&) const { engine.link_.close(); }
    void operator()(Send& e) const { engine.link_.send(messages::encode(e.session, e.message), {}); }
    void operator()(SendUpdateRange& e) const {
      if (e.masked) {
        if (engine.masked_.task != e.task || !engine.masked_.packed) return;
        const auto bytes = std::span<const std::byte>(*engine.masked_.packed).subspan(e.offset, e.bytes);
        engine.link_.send(messages::encode(e.session, messages::UpdateChunk{e.task, e.offset}),
                          transport::Bulk{engine.masked_.packed, bytes});
        return;
      }
      const auto bytes = std::as_bytes(std::span(engine.vectors_->delta)).subspan(e.offset, e.bytes);
      engine.link_.send(messages::encode(e.session, messages::UpdateChunk{e.task, e.offset}),
                        transport::Bulk{engine.vectors_, bytes});
    }
    void operator()(FindArchive& e) const {
      answer(ArchiveLookedUp{engine.archives_.has(e.archive) ? round::ArchiveCache::present
                                                             : round::ArchiveCache::absent});
    }
    void operator()(KeepChunk& e) const { engine.keep_chunk(e); }
    void operator()(VerifyBlob& e) const { answer(BlobChecked{e.blob, engine.verify_blob(e)}); }
    void operator()(StartTraining& e) const {
      engine.vectors_->delta.resize(engine.vectors_->global.size());
      learning::TrainingRequest request;
      request.archive = engine.archives_.path(e.task.archive);
      request.archive_digest = e.task.archive;
      request.layout = e.task.layout;
      request.config = e.task.training;
      request.seed = e.task.seed;
      engine.runner_.start(e.task, request, engine.vectors_);
    }
    void operator()(StopTraining&) const { engine.runner_.stop(); }
    void operator()(MaskUpdate& e) const {
      const auto masked = engine.mask_update(e);
      if (masked) answer(*masked);
      else answer(TrainingEnded{e.task, tl::unexpected<Error>(masked.error())});
    }
    void operator()(KeepCounted& e) const { engine.keep_counted(e.task); }
    void operator()(Tell& e) const {
      if (engine.config_.tell) engine.config_.tell(e.level, e.text);
    }
    void operator()(Exit& e) const { engine.exited_ = e; }
  };
  std::visit(CarryOut{*this, answer}, effect);
}

Result<UpdateMasked> Engine::mask_update(const MaskUpdate& mask) {
  namespace sa = secure_aggregation;
  const unsigned bits = mask.setup.quantisation.ring_bits;
  numbers_.resize(sa::vector_elements(mask.setup));
  HANSA_TRY_VOID(
      sa::quantise(vectors_->delta, mask.examples, mask.metrics, mask.setup, mask.rounding_seed, numbers_));
  HANSA_TRY_VOID(sa::apply_masks(numbers_, mask.terms, bits));
  // ZeroMQ may still send from what was masked before.
  if (!masked_.packed || masked_.packed.use_count() > 1)
    masked_.packed = std::make_shared<std::vector<std::byte>>();
  masked_.packed->resize(sa::packed_bytes(numbers_.size(), bits));
  sa::pack(numbers_, bits, *masked_.packed);
  masked_.task = mask.task;
  return UpdateMasked{mask.task, mask.setup.digest(), sha256(std::span<const std::byte>(*masked_.packed)),
                      masked_.packed->size()};
}

void Engine::keep_counted(TaskId task) {
  if (!config_.data || !trained_ || trained_->task != task) return;
  if (auto kept = config_.data->counted(trained_->data_mark); !kept && config_.tell)
    config_.tell(Tell::Level::error, kept.error().text());
  std::vector<Effect> effects;
  agent_.apply(DataKnown{data_report(config_.data->at_hand())}, now_, effects);
  for (auto& effect : effects) queue_.push_back(std::move(effect));
}

void Engine::keep_chunk(const KeepChunk& keep) {
  if (keep.blob == keep.task.archive) {
    if (keep.offset == 0) archive_bytes_.assign(keep.task.archive_bytes, std::byte{});
    copy_bulk(archive_bytes_, keep.offset);
    return;
  }
  if (keep.offset == 0) {
    // A stopped training may still read the old vectors, and ZeroMQ may still send from them.
    if (vectors_.use_count() > 1) vectors_ = std::make_shared<TaskVectors>();
    vectors_->global.resize(keep.task.model_bytes / sizeof(float));
  }
  copy_bulk(std::as_writable_bytes(std::span(vectors_->global)), keep.offset);
}

void Engine::copy_bulk(std::span<std::byte> to, std::uint64_t offset) {
  // The task let only fitting chunks pass. Memory is not written on another part's word: what does not fit
  // is left out, and the digest tells.
  const bool fits = offset <= to.size() && bulk_.size() <= to.size() - offset;
  assert(fits);
  if (fits && !bulk_.empty()) std::memcpy(to.data() + offset, bulk_.data(), bulk_.size());
}

bool Engine::verify_blob(const VerifyBlob& verify) {
  if (verify.blob != verify.task.archive)
    return sha256(std::span<const float>(vectors_->global)) == verify.blob;
  bool sound = sha256(std::span<const std::byte>(archive_bytes_)) == verify.blob;
  if (sound) {
    if (auto stored = archives_.put(verify.blob, archive_bytes_); !stored) {
      if (config_.tell) config_.tell(Tell::Level::error, stored.error().text());
      sound = false;
    }
  }
  archive_bytes_ = {};
  return sound;
}

Result<messages::Offer> Engine::make_offer(const messages::TrainTask& task,
                                           const Result<learning::TrainingResult>& result) const {
  if (!result) return tl::unexpected<Error>(result.error());
  const std::span<const float> delta = vectors_->delta;
  for (const float value : delta) {
    if (!(std::abs(value) <= task.magnitude_max))
      return fail(ErrorCode::data, "update",
                  "holds a value that is not finite or above " + std::to_string(task.magnitude_max),
                  "if training diverged, lower training.learning_rate; else scale the inputs, or raise "
                  "limits.magnitude_max");
  }
  messages::Offer offer;
  offer.task = task.task;
  // In a secure sum it is masked first: the agent makes that offer.
  if (!task.secure) offer.update = sha256(delta);
  offer.bytes = delta.size_bytes();
  offer.examples = result->examples;
  offer.train_seconds = result->train_seconds;
  offer.metrics = result->metrics;
  if (config_.data && result->new_examples > 0 && offer.metrics.size() < messages::metrics_max)
    offer.metrics.push_back({"new_examples", static_cast<double>(result->new_examples), 1});
  return offer;
}

}  // namespace hansa::client
