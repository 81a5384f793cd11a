// Runs and rounds for tests of stores.
#pragma once
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "common/vector_digest.h"
#include "server/store/store.h"

namespace hansa::server {

inline std::vector<float> model_of(std::uint32_t round, std::size_t elements = 18'000) {
  std::vector<float> model(elements);
  for (std::size_t i = 0; i < elements; ++i)
    model[i] = static_cast<float>(round) + static_cast<float>(i) * 1e-6F;
  return model;
}

inline RunIdentity identity_of(std::span<const float> initial_model) {
  RunIdentity identity;
  identity.federation = "harbour";
  identity.run = "first";
  identity.seed = std::numeric_limits<std::uint64_t>::max() - 6;
  identity.archive = sha256(std::string_view("archive"));
  identity.layout = sha256(std::string_view("layout"));
  identity.initial_model = vector_digest(initial_model);
  return identity;
}

inline Participation participation_of(std::string client, Outcome outcome, std::string reason) {
  Participation participation;
  participation.client = std::move(client);
  participation.outcome = outcome;
  participation.reason = std::move(reason);
  return participation;
}

// A round with every outcome and unusual values.
inline RoundRecord record_of(std::uint32_t round, const Digest& model, const Digest& base) {
  RoundRecord record;
  record.round = RoundId{round};
  record.model = model;
  record.base = base;
  record.started_at = "2024-05-01T12:00:00Z";
  record.seconds = 1.0 / 3 + round;
  record.attempt = 2;
  Participation lubeck = participation_of("lubeck", Outcome::counted, "");
  lubeck.examples = 600;
  lubeck.update = checksum(std::string_view("update"));
  lubeck.bytes_up = 72'000;
  lubeck.bytes_down = std::numeric_limits<std::uint64_t>::max();
  lubeck.seconds = 0.1;
  lubeck.train_seconds = 1e-300;
  lubeck.metrics = {{"loss", 300.5, 600}, {"accuracy", 500, 600}};
  Participation riga = lubeck;
  riga.client = "riga";
  riga.examples = 200;
  riga.metrics = {{"accuracy", 100, 200}, {"loss", 99.5, 200}};
  Participation visby = participation_of("visby", Outcome::late, "after the deadline: \"12\" s");
  visby.metrics = {{"loss", std::numeric_limits<double>::infinity(), 0}};
  record.participations = {lubeck, riga, visby};
  for (const Outcome outcome :
       {Outcome::declined, Outcome::disconnected, Outcome::no_answer, Outcome::rejected})
    record.participations.push_back(participation_of(std::string("z-") + name(outcome), outcome, "so"));
  if (round % 2 == 0) {
    SecureSumRecord& secure = record.secure.emplace();
    secure.neighbours = 32;
    secure.threshold = 21;
    secure.with_keys = 100;
    secure.recovered = 3;
    secure.value_bits = 8;
    secure.ring_bits = 15;
    secure.clip = 0.25;
    secure.next_clip = 1.0 / 3;
    secure.scales = {0.1, 1e-300};
    secure.next_scales = {0.3, 7};
    secure.setup_seconds = 0.25;
    secure.unmask_seconds = 1e-3;
    secure.examples = 800;
    secure.metrics = {{"loss", 400, 800}, {"accuracy", 600, 800}};
  }
  return record;
}

inline bool same(const Participation& a, const Participation& b) {
  return a.client == b.client && a.outcome == b.outcome && a.reason == b.reason && a.examples == b.examples &&
         a.update == b.update && a.bytes_up == b.bytes_up && a.bytes_down == b.bytes_down &&
         a.seconds == b.seconds && a.train_seconds == b.train_seconds && a.metrics == b.metrics;
}
inline bool same(const RoundRecord& a, const RoundRecord& b) {
  if (a.round != b.round || a.model != b.model || a.base != b.base || a.started_at != b.started_at ||
      a.seconds != b.seconds || a.attempt != b.attempt || a.participations.size() != b.participations.size())
    return false;
  for (std::size_t i = 0; i < a.participations.size(); ++i)
    if (!same(a.participations[i], b.participations[i])) return false;
  return a.secure == b.secure;
}

// Puts the round's model and commits the round after the last one.
inline Result<void> commit(Store& store, std::uint32_t round) {
  HANSA_TRY(const auto position, store.position());
  HANSA_TRY(const Digest model, store.put_model(model_of(round)));
  return store.commit_round(record_of(round, model, position->model));
}

inline Result<void> begin(Store& store) {
  const auto initial = model_of(0);
  return store.begin_run(identity_of(initial), initial);
}

}  // namespace hansa::server
