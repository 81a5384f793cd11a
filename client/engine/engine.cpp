#include "client/engine/engine.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <cstring>
#include <string>

#include "common/kernels/fold.h"
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

messages::DataReport data_report(const Result<learning::AvailableData>& data) {
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
  const auto decoded = messages::decode_to_client(message);
  if (!decoded) {
    apply(ReceivedMalformed{decoded.error()});
    return;
  }
  // What only a client sends is ignored.
  const auto* envelope = std::get_if<messages::Envelope<messages::ToClient>>(&*decoded);
  if (envelope == nullptr) return;
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
      transport::Bulk bulk;
      const Outgoing& out = engine.outgoing_;
      if (out.bytes && out.task == e.task && out.masked == e.masked)
        bulk = {out.bytes, std::span<const std::byte>(*out.bytes)};
      else if (!e.masked) bulk = {engine.vectors_, std::as_bytes(std::span(engine.vectors_->delta))};
      if (e.offset + e.bytes > bulk.bytes.size()) return;
      bulk.bytes = bulk.bytes.subspan(e.offset, e.bytes);
      engine.link_.send(messages::encode(e.session, messages::UpdateChunk{e.task, e.offset}), bulk);
    }
    void operator()(FindArchive& e) const {
      answer(ArchiveLookedUp{
          engine.archives_.has(e.archive) ? round::ArchiveCache::present : round::ArchiveCache::absent,
          engine.held_model_});
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
    void operator()(Log& e) const {
      if (engine.config_.log) engine.config_.log(e.level, e.text);
    }
    void operator()(Exit& e) const { engine.exited_ = e; }
  };
  std::visit(CarryOut{*this, answer}, effect);
}

namespace {

constexpr const char* codec_state_key = "codec state";

// What a codec's state belongs to: another model or other codecs begin anew.
Digest codec_state_of(const messages::TrainTask& task) {
  std::string text = task.layout.text();
  for (const codecs::Segment& segment : task.compression->segments)
    text += "\n" + std::to_string(segment.values) + " " + codecs::text_of(segment.spec) + " " +
            std::to_string(segment.rows);
  return sha256(std::string_view(text));
}

Digest codec_state_of(const secure_aggregation::SumSetup& setup) {
  std::string text =
      std::to_string(setup.quantisation.fraction) + (setup.quantisation.rotated ? " rotated" : "");
  for (const auto& segment : setup.segments) text += " " + std::to_string(segment.values);
  return sha256(std::string_view(text));
}

}  // namespace

Result<UpdateMasked> Engine::mask_update(const MaskUpdate& mask) {
  namespace sa = secure_aggregation;
  const unsigned bits = mask.setup.quantisation.ring_bits;
  ring_elements_.resize(sa::vector_elements(mask.setup));
  std::span<const float> values = vectors_->delta;
  if (mask.setup.quantisation.fraction < 1) {
    HANSA_TRY_VOID(find_codec_state(mask.task, codec_state_of(mask.setup), values.size()));
    corrected_.assign(values.begin(), values.end());
    const auto& before = codec_state_.values;
    for (std::size_t i = 0; i < before.size(); ++i) corrected_[i] += before[i];
    values = corrected_;
    sa::left_out(values, mask.setup, next_codec_state_.values);
  }
  HANSA_TRY_VOID(
      sa::quantise(values, mask.examples, mask.metrics, mask.setup, mask.rounding_seed, ring_elements_));
  HANSA_TRY_VOID(sa::apply_masks(ring_elements_, mask.terms, bits));
  std::vector<std::byte>& packed = fresh_outgoing(mask.task, true);
  packed.resize(sa::packed_bytes(ring_elements_.size(), bits));
  sa::pack(ring_elements_, bits, packed);
  return UpdateMasked{mask.task, mask.setup.digest(), checksum(std::span<const std::byte>(packed)),
                      packed.size()};
}

std::vector<std::byte>& Engine::fresh_outgoing(TaskId task, bool masked) {
  // ZeroMQ may still send from what was made before.
  if (!outgoing_.bytes || outgoing_.bytes.use_count() > 1)
    outgoing_.bytes = std::make_shared<std::vector<std::byte>>();
  outgoing_.task = task;
  outgoing_.masked = masked;
  return *outgoing_.bytes;
}

// Before the task's update; room for the one after it.
Result<void> Engine::find_codec_state(TaskId task, const Digest& of, std::size_t size) {
  if (next_codec_state_.task != task && next_codec_state_.counted)
    codec_state_.values = std::move(next_codec_state_.values);
  if (codec_state_.of != of) {
    codec_state_ = {of, {}};
    std::optional<std::vector<std::byte>> stored;
    if (size > 0 && config_.state) {
      HANSA_TRY(stored, config_.state->get(codec_state_key));
    }
    if (stored && stored->size() == of.bytes.size() + size * sizeof(float) &&
        std::memcmp(stored->data(), of.bytes.data(), of.bytes.size()) == 0) {
      codec_state_.values.resize(size);
      std::memcpy(codec_state_.values.data(), stored->data() + of.bytes.size(), size * sizeof(float));
    }
  }
  next_codec_state_.task = task;
  next_codec_state_.counted = false;
  next_codec_state_.values.resize(size);
  return {};
}

namespace {
tl::unexpected<Error> fail_outside(const messages::TrainTask& task) {
  return fail(ErrorCode::data, "update",
              "holds a value that is not finite or above " + std::to_string(task.magnitude_max),
              "if training diverged, lower training.learning_rate; else scale the inputs, or raise "
              "limits.magnitude_max");
}
}  // namespace

Result<void> Engine::encode_update(const messages::TrainTask& task) {
  const messages::Compression& compression = *task.compression;
  HANSA_TRY(const codecs::Plan plan, codecs::Plan::create(compression.segments));
  HANSA_TRY_VOID(find_codec_state(task.task, codec_state_of(task), plan.state_values()));
  const bool within =
      codecs::Encoder(plan).encode(vectors_->delta, codec_state_.values, next_codec_state_.values,
                                   messages::update_seeds(task), static_cast<float>(task.magnitude_max),
                                   compression.entropy ? codecs::Entropy::if_smaller : codecs::Entropy::never,
                                   fresh_outgoing(task.task, false));
  return within ? Result<void>() : fail_outside(task);
}

void Engine::keep_codec_state(TaskId task) {
  NextCodecState& next = next_codec_state_;
  if (next.task != task || next.counted) return;
  next.counted = true;
  if (next.values.empty() || !config_.state) return;
  const auto& of = codec_state_.of.bytes;
  std::vector<std::byte> bytes(of.size() + next.values.size() * sizeof(float));
  std::memcpy(bytes.data(), of.data(), of.size());
  std::memcpy(bytes.data() + of.size(), next.values.data(), next.values.size() * sizeof(float));
  if (auto kept = config_.state->put(codec_state_key, bytes); !kept && config_.log)
    config_.log(Log::Level::error, kept.error().text());
}

void Engine::keep_counted(TaskId task) {
  if (!trained_ || trained_->task != task) return;
  keep_codec_state(task);
  if (!config_.data) return;
  if (auto kept = config_.data->counted(trained_->data_mark); !kept && config_.log)
    config_.log(Log::Level::error, kept.error().text());
  std::vector<Effect> effects;
  agent_.apply(DataKnown{data_report(config_.data->available())}, now_, effects);
  for (auto& effect : effects) queue_.push_back(std::move(effect));
}

namespace {

const messages::ModelDelta* delta_of(const messages::TrainTask& task, const Digest& blob) {
  if (!task.deltas) return nullptr;
  const auto found = std::ranges::find(task.deltas->deltas, blob, &messages::ModelDelta::blob);
  return found == task.deltas->deltas.end() ? nullptr : &*found;
}

}  // namespace

void Engine::keep_chunk(const KeepChunk& keep) {
  if (keep.blob == keep.task.archive) {
    if (keep.offset == 0) archive_bytes_.assign(keep.task.archive_bytes, std::byte{});
    copy_bulk(archive_bytes_, keep.offset);
    return;
  }
  if (keep.blob != keep.task.model) {
    const messages::ModelDelta* delta = delta_of(keep.task, keep.blob);
    if (delta == nullptr) return;
    if (keep.offset == 0) delta_bytes_.resize(delta->bytes);
    copy_bulk(delta_bytes_, keep.offset);
    return;
  }
  if (keep.offset == 0) {
    held_model_ = {};
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
  if (verify.blob == verify.task.archive) return verify_archive(verify);
  if (verify.blob == verify.task.model) {
    const bool sound = checksum(std::span<const float>(vectors_->global)) == verify.task.model_check;
    held_model_ = sound ? verify.blob : Digest{};
    return sound;
  }
  const messages::ModelDelta* delta = delta_of(verify.task, verify.blob);
  if (delta == nullptr) return false;
  auto taken = take_delta(verify.task, *delta);
  if (!taken && config_.log)
    config_.log(Log::Level::warning,
                "a delta to the model cannot be used (" + taken.error().text() + "); fetching it whole");
  return taken.has_value();
}

// From the held model to the next. The delta's bytes are not hashed: the channel has authenticated them, and the model that the last delta leads
// to has a checksum.
Result<void> Engine::take_delta(const messages::TrainTask& task, const messages::ModelDelta& delta) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::protocol, "model delta", what); };
  if (held_model_ != delta.base) return wrong("begins at another model than this client has");
  HANSA_TRY(const codecs::Plan plan, codecs::Plan::create(task.deltas->segments));
  if (vectors_->global.size() != plan.values()) return wrong("is for another model");
  HANSA_TRY(const codecs::Update update,
            codecs::Update::read(plan, messages::delta_seeds(delta), codecs::delta_magnitude_max,
                                 delta_bytes_, unpacked_));
  keep_vectors_to_ourselves();
  held_model_ = {};
  const Checksum check = update.accumulate(vectors_->global);
  const Digest reached = messages::name_of(delta);
  // Models between are not looked at; the one that counts is.
  if (&delta == &task.deltas->deltas.back() && (reached != task.model || check != task.model_check))
    return wrong("does not lead to the task's model");
  held_model_ = reached;
  return {};
}

void Engine::keep_vectors_to_ourselves() {
  if (vectors_.use_count() == 1) return;
  auto copy = std::make_shared<TaskVectors>();
  copy->global = vectors_->global;
  vectors_ = std::move(copy);
}

bool Engine::verify_archive(const VerifyBlob& verify) {
  bool sound = sha256(std::span<const std::byte>(archive_bytes_)) == verify.blob;
  if (sound) {
    if (auto stored = archives_.put(verify.blob, archive_bytes_); !stored) {
      if (config_.log) config_.log(Log::Level::error, stored.error().text());
      sound = false;
    }
  }
  archive_bytes_ = {};
  return sound;
}

Result<messages::Offer> Engine::make_offer(const messages::TrainTask& task,
                                           const Result<learning::TrainingResult>& result) {
  if (!result) return tl::unexpected<Error>(result.error());
  const std::span<const float> delta = vectors_->delta;
  const bool is_encoded = !task.secure && task.compression;  // which looks at the values itself
  if (!is_encoded && kernels::first_outside(delta, static_cast<float>(task.magnitude_max)) != delta.size())
    return fail_outside(task);
  messages::Offer offer;
  offer.task = task.task;
  offer.bytes = delta.size_bytes();
  // In a secure sum it is masked first: the agent makes that offer.
  if (is_encoded) {
    HANSA_TRY_VOID(encode_update(task));
    offer.update = checksum(std::span<const std::byte>(*outgoing_.bytes));
    offer.bytes = outgoing_.bytes->size();
  } else if (!task.secure) {
    offer.update = checksum(delta);
  }
  offer.examples = result->examples;
  offer.train_seconds = result->train_seconds;
  offer.metrics = result->metrics;
  if (config_.data && result->new_examples > 0 && offer.metrics.size() < messages::metrics_max)
    offer.metrics.push_back({"new_examples", static_cast<double>(result->new_examples), 1});
  return offer;
}

}  // namespace hansa::client
