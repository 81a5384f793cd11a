#include "tests/protocols/samples.h"

#include <array>
#include <charconv>
#include <map>

namespace hansa::messages::testing {

Digest counting_digest(std::uint8_t first) {
  Digest out;
  for (auto& byte : out.bytes) byte = first++;
  return out;
}

namespace {

constexpr SessionId session(0x0102030405060708ULL);
constexpr TaskId task(0x1112131415161718ULL);

template <class Array>
Array bytes_from(std::uint8_t first) {
  Array out{};
  for (auto& byte : out) byte = first++;
  return out;
}

TrainTask train_task() {
  TrainTask train;
  train.task = task;
  train.round = RoundId(7);
  train.archive = counting_digest(0x20);
  train.archive_bytes = 44'000;
  train.layout = counting_digest(0x60);
  train.approval = {"pump-wear", "3", {"auc"}, bytes_from<secure_aggregation::Signature>(0x90)};
  TaskInput model{"model", counting_digest(0x40), 1'000'000, {}, {}};
  model.check.bytes = bytes_from<decltype(model.check.bytes)>(0x50);
  model.deltas.emplace();
  model.deltas->segments = {{250'000, {codecs::Kind::rotated, 4, 0, 0}, 0}};
  model.deltas->deltas = {{counting_digest(0x10), counting_digest(0x11), 31'000},
                          {counting_digest(0x12), counting_digest(0x13), 29'000}};
  TaskInput control{"control", counting_digest(0x70), 1'000'000, {}, {}};
  control.check.bytes = bytes_from<decltype(control.check.bytes)>(0x58);
  model.values = counting_digest(0x90);
  train.inputs = {std::move(model), std::move(control)};
  train.method = sgd_method({.epochs = 2,
                             .batch_size = 64,
                             .learning_rate = 0.125,
                             .momentum = 0.5,
                             .weight_decay = 0.25,
                             .steps_max = 900,
                             .personal = {"head.*", "*.running_mean"}});
  train.method.options.push_back({"rule", std::string("nearest")});
  train.outputs = {
      {"delta",
       250'000,
       {{50'000, {codecs::Kind::topk, 4, 0.125, 0}, 0}, {200'000, {codecs::Kind::lowrank, 0, 0, 4}, 400}}},
      {"control", 250'000, {{250'000, {codecs::Kind::f16, 0, 0, 0}, 0}}}};
  train.seed = 0xa1a2a3a4a5a6a7a8ULL;
  train.deadline_ms = 300'000;
  train.magnitude_max = 64.0;
  train.hold_out = {0.25, Measure::yes};
  train.compression.emplace();
  train.compression->entropy = true;
  train.compression->cohort_seed = 0xb1b2b3b4b5b6b7b8ULL;
  train.secure.emplace();
  train.secure->seed = 0x2122232425262728;
  train.secure->attempt = 2;
  train.secure->nonce = counting_digest(0xb0);
  train.secure->clients = 100;
  train.secure->quantisation = {255, 15, 0.25, 6'000};
  train.secure->segments = {{200'000, 0.5}, {50'000, 1.0 / 1024}};
  train.secure->metrics = {"loss", "accuracy"};
  train.secure->assumptions.threat_model = secure_aggregation::ThreatModel::active;
  train.secure->certificate_epoch = 3;
  return train;
}

secure_aggregation::Advert advert() {
  secure_aggregation::Advert out;
  out.share_key = bytes_from<decltype(out.share_key)>(1);
  out.mask_key = bytes_from<decltype(out.mask_key)>(2);
  out.self_seed_commitment = counting_digest(3);
  out.nonce = bytes_from<decltype(out.nonce)>(4);
  out.signature = bytes_from<decltype(out.signature)>(5);
  return out;
}

Offer offer() {
  Offer out;
  out.task = task;
  out.update.bytes = bytes_from<decltype(out.update.bytes)>(0x80);
  out.bytes = 1'000'000;
  out.examples = 6'000;
  out.train_seconds = 12.5;
  out.setup = counting_digest(0xc0);
  out.metrics = {{"loss", 1'500.0, 6'000.0}, {"accuracy", 4'500.0, 6'000.0}};
  return out;
}

Report memory_short() {
  return {{ReasonCode::memory_short,
           {{Quantity::bytes_needed, 1ULL << 33}, {Quantity::bytes_allowed, 1ULL << 29}}},
          {}};
}
Report set_aside() { return {{ReasonCode::state_set_aside, {}}, "state.sqlite: is damaged"}; }
Report skipped_row() {
  return {{ReasonCode::record_skipped,
           {{Quantity::data_kind, static_cast<std::uint64_t>(DataKind::csv)},
            {Quantity::because, static_cast<std::uint64_t>(ReasonCode::value_invalid)},
            {Quantity::line, 118},
            {Quantity::column, 3}}},
          {}};
}

const Digest setup = counting_digest(0xc0);
const auto sealed = bytes_from<secure_aggregation::SealedShares>(6);
const auto share = bytes_from<std::array<std::uint8_t, 32>>(7);

template <class Messages>
void add_frames(const std::vector<Envelope<Messages>>& samples, std::map<std::uint8_t, Frame>& frames) {
  for (const auto& sample : samples) {
    const Type type = type_of(sample.message);
    frames.try_emplace(type.number, Frame{type, sample.session, encode(sample.session, sample.message)});
  }
}

}  // namespace

std::vector<Envelope<ToClient>> samples_to_client() {
  const DataContract contract{.columns = {"age", "bmi"},
                              .units = {"years", "kg/m2"},
                              .label = "outcome",
                              .target = TargetType::classes,
                              .classes = {"home", "ward"},
                              .dtype = ElementType::float32,
                              .shape = {2},
                              .minimum = {0, 10.5},
                              .maximum = {130, 80}};
  return {{session, Welcome{"quay-1", "run-1", 30'000, 262'144, contract}},
          {SessionId(), Refuse{RefuseReason::identity_in_use, "in use", "a key for each", 10'000}},
          {session, train_task()},
          {session, Cancel{task, "the round is closed"}},
          {session, BlobChunk{counting_digest(0x40), 786'432}},
          {session, Missing{counting_digest(0x40)}},
          {session, Grant{task, 262'144, 1'000'000}},
          {session, Receipt{task, Verdict::late, "the round is closed"}},
          {session, Ping{task}},
          {session, Pong{task}},
          {session, Finished{RoundId(20), counting_digest(0xa0)}},
          {session, Bye{"the aggregator stops"}},
          {session, KeyRoster{task, setup}},
          {session, ShareDelivery{task, setup, {0x05}, {sealed, sealed}}},
          {session, SurvivorSet{task, setup, {0xff, 0x03}}},
          {session, UnmaskRequest{task, setup, {0xff, 0x03}, {{3, advert().signature}}}}};
}

std::vector<Envelope<ToAggregator>> samples_to_aggregator() {
  return {
      {SessionId(), Hello{"harbour", 0xc0ffee, "hansa 0.1.0", {6'000, 250, skipped_row(), {set_aside()}}}},
      {session, Decline{task, memory_short()}},
      {session, Pull{counting_digest(0x40), 524'288, 262'144}},
      {session, offer()},
      {session, UpdateChunk{task, 524'288}},
      {session, Ping{task}},
      {session, Pong{task}},
      {session, Bye{"the client stops"}},
      {session, DataReport{9'000, 17, skipped_row(), {set_aside(), memory_short()}, 0x0123456789ABCDEF}},
      {session, KeyAdvert{task, setup, advert()}},
      {session, EncryptedShares{task, setup, {sealed, sealed}}},
      {session, SurvivorSignature{task, setup, advert().signature}},
      {session, UnmaskShares{task, setup, {share, share}}}};
}

std::vector<Frame> frames() {
  std::map<std::uint8_t, Frame> by_number;
  add_frames(samples_to_client(), by_number);
  add_frames(samples_to_aggregator(), by_number);
  std::vector<Frame> out;
  for (auto& [number, frame] : by_number) out.push_back(std::move(frame));
  return out;
}

std::string to_hex(std::span<const std::byte> bytes) {
  constexpr std::string_view digits = "0123456789abcdef";
  std::string out;
  for (const std::byte byte : bytes) {
    out += digits[std::to_integer<unsigned>(byte) >> 4];
    out += digits[std::to_integer<unsigned>(byte) & 15];
  }
  return out;
}

std::vector<std::byte> from_hex(std::string_view text) {
  std::string digits;
  for (const char c : text)
    if (c != ' ') digits += c;
  if (digits.size() % 2 != 0) return {};
  std::vector<std::byte> out;
  for (std::size_t i = 0; i < digits.size(); i += 2) {
    unsigned value = 0;
    const auto parsed = std::from_chars(digits.data() + i, digits.data() + i + 2, value, 16);
    if (parsed.ec != std::errc() || parsed.ptr != digits.data() + i + 2) return {};
    out.push_back(static_cast<std::byte>(value));
  }
  return out;
}

}  // namespace hansa::messages::testing
