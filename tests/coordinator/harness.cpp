#include "tests/coordinator/harness.h"

#include <algorithm>

#include <gtest/gtest.h>

#include "tests/log_line.h"

namespace hansa::server::testing {

CoordinatorConfig small_config() {
  CoordinatorConfig c;
  c.settings.federation = "harbour";
  c.settings.seed = 1;
  c.process.session_seed = 2;
  c.settings.rounds = 3;
  c.settings.cohort.clients_min = 2;
  c.settings.cohort.quorum = 1.0;
  c.settings.cohort.deadline = std::chrono::seconds(60);
  c.model.archive = sha256("archive");
  c.model.archive_bytes = 250;
  c.model.layout = sha256("layout");
  c.model.elements = 250;
  c.process.chunk_bytes = 100;
  c.settings.admitted = {"a", "b", "c"};
  return c;
}

Harness::Harness(CoordinatorConfig c, RoundId last_committed, Certificates find)
    : Harness(std::move(c),
              RestoredState{"run-1", last_committed, sha256("model 0"), {sha256("model 0"), {}, {}}, {}},
              std::move(find)) {}

Harness::Harness(CoordinatorConfig c, RestoredState restored, Certificates find)
    : config(c),
      certificates(std::move(find)),
      now(Instant(std::chrono::hours(1))),
      coordinator(std::move(c), std::move(restored), now) {}

Verdict Harness::apply(const Event& event) {
  std::vector<Effect> fresh;
  const Verdict verdict = coordinator.apply(event, now, fresh);
  EXPECT_GT(coordinator.next_tick(), now);
  for (auto& effect : fresh) {
    if (const auto* line = std::get_if<Log>(&effect)) hansa::testing::expect_described(*line);
    if (const auto* commit_round = std::get_if<CommitRound>(&effect))
      committed.push_back(commit_round->record);
    if (const auto* finish = std::get_if<Finish>(&effect)) finished.push_back(*finish);
    const auto* find = std::get_if<FindCertificate>(&effect);
    const std::string client = find != nullptr ? find->client : "";
    std::optional<MasksOpened> masks;
    if (const auto* open = std::get_if<OpenMasks>(&effect))
      masks = {open->revealed.context, std::make_shared<secure_aggregation::OpenedMasks>(
                                           secure_aggregation::open_masks(open->revealed, open->effort))};
    effects.push_back(std::move(effect));
    if (masks) apply(*masks);
    if (!client.empty()) apply(CertificateFound{client, certificates ? certificates(client) : std::nullopt});
  }
  return verdict;
}

int Harness::advance(Duration duration) {
  const Instant until = now + duration;
  int ticks = 0;
  while (now < until) {
    const Instant next = coordinator.next_tick();
    EXPECT_GT(next, now) << "a tick in the past";
    now = std::min(next, until);
    apply(TickEvent{});
    ++ticks;
  }
  return ticks;
}

Peer Harness::peer(const std::string& name) {
  ++peers;
  return Peer{name, PeerId(peers), 1'000 + peers};
}

Verdict Harness::say(const Peer& from, const messages::ToAggregator& message, std::uint64_t bulk_bytes) {
  return apply(MessageArrived{from.peer, from.name, from.session, message, bulk_bytes});
}

Verdict Harness::say_misdirected(const Peer& from, messages::Type type) {
  return apply(MessageMisdirected{from.peer, from.name, from.session, type});
}

Verdict Harness::hello(Peer& from, std::uint64_t examples, const std::string& federation) {
  messages::Hello hello{federation, from.instance, "hansa test", {examples, 0}};
  if (examples == 0) hello.data.problem.reason.code = ReasonCode::too_few_examples;
  const std::size_t before = effects.size();
  const Verdict verdict = apply(MessageArrived{from.peer, from.name, SessionId(), hello});
  for (std::size_t i = before; i < effects.size(); ++i)
    if (const auto* send = std::get_if<Send>(&effects[i]); send != nullptr && send->peer == from.peer)
      if (std::holds_alternative<messages::Welcome>(send->message)) from.session = send->session;
  return verdict;
}

Peer Harness::connect(const std::string& name, std::uint64_t examples) {
  Peer p = peer(name);
  EXPECT_EQ(hello(p, examples), Verdict::accepted);
  EXPECT_NE(p.session, SessionId()) << name << " was not welcomed";
  return p;
}

TaskId Harness::task_of(const Peer& p) const {
  const RoundId round(coordinator.last_committed().value + 1);
  return make_task_id(config.settings.seed, "run-1", {round, opened_sums}, p.name);
}

messages::Offer Harness::offer_of(const Peer& from, std::uint8_t content) const {
  messages::Offer offer;
  offer.task = task_of(from);
  offer.update = checksum(std::string_view(from.name + std::to_string(content)));
  offer.bytes = config.model.elements * sizeof(float);
  offer.examples = 10;
  return offer;
}

std::uint64_t Harness::upload(const Peer& from, std::uint64_t offset) {
  const TaskId task = task_of(from);
  std::uint64_t limit = 0;
  std::uint64_t sent_bytes = 0;
  for (const auto& grant : sent<messages::Grant>(from)) limit = std::max(limit, grant.limit);
  while (offset < limit) {
    const std::uint64_t size = std::min<std::uint64_t>(config.process.chunk_bytes, limit - offset);
    const std::size_t before = sent<messages::Grant>(from).size();
    EXPECT_EQ(say(from, messages::UpdateChunk{task, offset}, size), Verdict::accepted);
    offset += size;
    sent_bytes += size;
    const auto grants = sent<messages::Grant>(from);
    for (std::size_t i = before; i < grants.size(); ++i) {
      EXPECT_EQ(grants[i].offset, limit) << "grants follow on each other";
      limit = grants[i].limit;
    }
    EXPECT_LE(limit - offset, 16 * std::uint64_t{config.process.chunk_bytes}) << "credit";
  }
  return sent_bytes;
}

void Harness::finish_task(const Peer& from, std::uint8_t content) {
  forget();
  ASSERT_EQ(say(from, offer_of(from, content)), Verdict::accepted);
  ASSERT_EQ(upload(from), config.model.elements * sizeof(float));
  ASSERT_EQ(check(from.name), Verdict::accepted);
}

Verdict Harness::check(const std::string& client, const Result<void>& outcome) {
  return apply(UpdateChecked{client, outcome});
}

Verdict Harness::commit() {
  if (committed.empty()) return Verdict::discarded;
  const RoundId round = committed.back().round;
  const Digest model = sha256("model " + std::to_string(round.value));
  return apply(RoundCommitted{round, model, {model, {}, {}}});
}

bool Harness::refused(const Peer& to, messages::RefuseReason reason) const {
  const auto refusals = sent<messages::Refuse>(to);
  return std::any_of(refusals.begin(), refusals.end(), [&](const auto& r) { return r.reason == reason; });
}

}  // namespace hansa::server::testing
