// The common behaviour of all forms of update: open, append, drop, reject, count, and return the mean of what was
// counted.
#include "server/aggregation/update_form.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/seeds.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "server/aggregation/make_update_form.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

namespace sa = secure_aggregation;

constexpr std::size_t elements = 3'000;
constexpr std::uint32_t clients = 6;
constexpr std::uint64_t cohort_seed = 17;

// One kind of form, and how its clients make updates.
class Kind {
 public:
  virtual ~Kind() = default;
  virtual std::string name() const = 0;
  virtual std::unique_ptr<UpdateForm> make(WorkerPool& workers, SpoolPool& spools) const = 0;
  virtual RoundSetup setup() const = 0;
  virtual std::vector<std::byte> bytes_of(std::span<const float> values,
                                          const UpdateTicket& ticket) const = 0;
  // Damages values or bytes, so that the update must be rejected although its checksum is right; false: no bytes of
  // its size are invalid.
  virtual bool damage(std::vector<std::byte>& bytes) const = 0;
  virtual std::optional<SumOpening> opening(const sa::Subset&) const { return std::nullopt; }
  virtual bool is_median() const { return false; }
  virtual std::size_t vectors() const { return 1; }  // whose norms are known; 0: none is
  virtual double tolerance() const { return 1e-6; }
};

PlainSetup plain_setup() {
  return {{.weight_max = 1'000, .updates_max = clients, .magnitude_max = 4.0F}, cohort_seed};
}

class Float32 : public Kind {
 public:
  std::string name() const override { return "Float32"; }
  std::unique_ptr<UpdateForm> make(WorkerPool& workers, SpoolPool& spools) const override {
    return make_update_form({elements, nullptr, {}, {}, SumOf::cohort, vectors()}, workers, spools);
  }
  std::size_t vectors() const override { return 3; }
  RoundSetup setup() const override { return plain_setup(); }
  std::vector<std::byte> bytes_of(std::span<const float> values, const UpdateTicket&) const override {
    const auto bytes = std::as_bytes(values);
    return {bytes.begin(), bytes.end()};
  }
  bool damage(std::vector<std::byte>& bytes) const override {
    const float bad = std::numeric_limits<float>::quiet_NaN();
    std::memcpy(bytes.data() + bytes.size() - sizeof bad, &bad, sizeof bad);
    return true;
  }
};

class Encoded : public Kind {
 public:
  std::string name() const override { return "Encoded"; }
  std::unique_ptr<UpdateForm> make(WorkerPool& workers, SpoolPool& spools) const override {
    return make_update_form({elements, plan_, {}, {}, SumOf::cohort, vectors()}, workers, spools);
  }
  std::size_t vectors() const override { return 3; }
  RoundSetup setup() const override { return plain_setup(); }
  std::vector<std::byte> bytes_of(std::span<const float> values, const UpdateTicket& ticket) const override {
    std::vector<std::byte> out;
    std::vector<float> kept(plan_->state_values());
    EXPECT_TRUE(codecs::Encoder(*plan_).encode(values, {}, kept,
                                               codecs::update_seeds(ticket.task_seed, cohort_seed), 4.0F,
                                               codecs::Entropy::if_smaller, out));
    return out;
  }
  bool damage(std::vector<std::byte>& bytes) const override {
    bytes.pop_back();
    return true;
  }
  double tolerance() const override { return 0.02; }

 protected:
  std::shared_ptr<const codecs::Plan> plan_ = std::make_shared<const codecs::Plan>(*codecs::Plan::create(
      std::vector(3, codecs::Segment{elements / 3, *codecs::parse_spec("q8", "test"), 0})));
};

// Of all rules that keep the updates of a round, one stands for the form. Some of its updates are in files.
const AggregationConfig median = {.name = "median", .memory_bytes_max = 2 * elements * sizeof(float)};

double median_of(std::vector<float> values) {
  std::ranges::sort(values);
  const std::size_t half = values.size() / 2;
  if (values.size() % 2 == 1) return static_cast<double>(values[half]);
  return (static_cast<double>(values[half - 1]) + static_cast<double>(values[half])) / 2;
}

class Float32Median final : public Float32 {
 public:
  std::string name() const override { return "Float32Median"; }
  std::unique_ptr<UpdateForm> make(WorkerPool& workers, SpoolPool& spools) const override {
    return make_update_form({elements, nullptr, {}, median}, workers, spools);
  }
  std::size_t vectors() const override { return 1; }
  bool is_median() const override { return true; }
};

class EncodedMedian final : public Encoded {
 public:
  std::string name() const override { return "EncodedMedian"; }
  std::unique_ptr<UpdateForm> make(WorkerPool& workers, SpoolPool& spools) const override {
    return make_update_form({elements, plan_, {}, median}, workers, spools);
  }
  std::size_t vectors() const override { return 1; }
  bool is_median() const override { return true; }
};

// Vectors are rounded to the ring, with masks that are all zero, so nothing has to be removed.
class Masked final : public Kind {
 public:
  Masked() {
    setup_.federation = "harbour";
    setup_.round = RoundId(1);
    setup_.clients = clients;
    setup_.segments = {{elements, 1.0}};
    setup_.quantisation = sa::first_quantisation(clients, 1'000);
  }
  std::string name() const override { return "Masked"; }
  std::unique_ptr<UpdateForm> make(WorkerPool& workers, SpoolPool& spools) const override {
    return make_update_form({elements, nullptr, 8, {}}, workers, spools);
  }
  std::size_t vectors() const override { return 0; }
  RoundSetup setup() const override {
    return MaskedSetup{sha256("context"), clients, sa::vector_elements(setup_), bits()};
  }
  std::vector<std::byte> bytes_of(std::span<const float> values, const UpdateTicket& ticket) const override {
    std::vector<std::uint32_t> ring(sa::vector_elements(setup_));
    Secret32 seed;
    seed.bytes()[0] = static_cast<std::uint8_t>(ticket.index);
    EXPECT_TRUE(sa::quantise(values, ticket.weight, {}, setup_, seed, ring));
    std::vector<std::byte> out(sa::packed_bytes(ring.size(), bits()));
    sa::pack(ring, bits(), out);
    return out;
  }
  // Any bytes may be a masked vector.
  bool damage(std::vector<std::byte>&) const override { return false; }
  std::optional<SumOpening> opening(const sa::Subset& counted) const override {
    return SumOpening{setup_, {}, counted};
  }
  double tolerance() const override { return 0.02; }

 private:
  unsigned bits() const { return setup_.quantisation.ring_bits; }
  sa::SumSetup setup_;
};

struct Update {
  UpdateTicket ticket;
  std::vector<float> values;
  std::vector<std::byte> bytes;
};

class UpdateForms : public ::testing::TestWithParam<std::shared_ptr<const Kind>> {
 protected:
  Update make_update(std::uint32_t index) {
    Update out;
    out.ticket.client = "client-" + std::to_string(index);
    out.ticket.index = index;
    out.ticket.weight = 1 + random_.below(1'000);
    out.ticket.task_seed = random_.next();
    out.values.resize(elements);
    for (float& value : out.values) value = static_cast<float>(random_.uniform() - 0.5);
    out.bytes = kind().bytes_of(out.values, out.ticket);
    close(out);
    return out;
  }
  static void close(Update& update) {
    update.ticket.bytes = update.bytes.size();
    update.ticket.checksum = checksum(std::span<const std::byte>(update.bytes));
  }
  const Kind& kind() const { return *GetParam(); }
  // The bytes from `from` to `to`, in parts of any size.
  void append(const Update& update, std::size_t from, std::size_t to) {
    while (from < to) {
      const std::size_t part = std::min<std::size_t>(to - from, 1 + random_.below(5'000));
      ASSERT_TRUE(form_->append(update.ticket.client, std::span(update.bytes).subspan(from, part)));
      from += part;
    }
  }
  Result<CountedUpdate> send(const Update& update) {
    EXPECT_TRUE(form_->open(update.ticket));
    append(update, 0, update.bytes.size());
    return form_->count(update.ticket.client);
  }
  // Expects the mean of exactly these updates.
  void expect_mean(std::span<const Update> counted) {
    sa::Subset subset(clients);
    std::uint64_t weight = 0;
    for (const Update& update : counted) {
      subset.insert(update.ticket.index);
      weight += update.ticket.weight;
    }
    const auto aggregate = form_->finish(kind().opening(subset));
    ASSERT_TRUE(aggregate) << aggregate.error().text();
    EXPECT_EQ(aggregate->totals.examples, weight);
    ASSERT_EQ(aggregate->mean.elements(), elements);
    std::vector<double> found(elements), in_parts(elements);
    aggregate->mean.read(0, found);
    for (std::size_t at = 0; at < elements; at += 700)
      aggregate->mean.read(at, std::span(in_parts).subspan(at, std::min<std::size_t>(700, elements - at)));
    EXPECT_EQ(found, in_parts);
    for (std::size_t i = 0; i < elements; ++i) {
      double expected = 0;
      std::vector<float> column;
      for (const Update& update : counted) {
        expected += static_cast<double>(update.values[i]) * static_cast<double>(update.ticket.weight) /
                    static_cast<double>(weight);
        column.push_back(update.values[i]);
      }
      if (kind().is_median()) expected = median_of(column);
      ASSERT_NEAR(found[i], expected, kind().tolerance()) << i;
    }
  }
  void SetUp() override {
    form_ = kind().make(workers_, spools_);
    ASSERT_TRUE(form_->begin(kind().setup()));
  }

  Random random_{5};
  TemporaryFolder folder_;
  WorkerPool workers_{2};
  SpoolPool spools_{folder_ / "spools", 30'000};  // most lie in files
  std::unique_ptr<UpdateForm> form_;
};

TEST_P(UpdateForms, GiveTheMeanOfWhatWasCounted) {
  std::vector<Update> updates;
  for (std::uint32_t i = 0; i < clients; ++i) {
    updates.push_back(make_update(i));
    EXPECT_TRUE(form_->sizes().has(updates[i].bytes.size()));
    ASSERT_TRUE(send(updates[i]));
  }
  expect_mean(updates);
}

TEST_P(UpdateForms, ReportTheNormOfEachVector) {
  const Update update = make_update(0);
  const auto counted = send(update);
  ASSERT_TRUE(counted) << counted.error().text();
  ASSERT_EQ(counted->norms.size(), kind().vectors());
  const std::size_t size = elements / std::max<std::size_t>(1, kind().vectors());
  for (std::size_t v = 0; v < kind().vectors(); ++v) {
    double squares = 0;
    for (const float value : std::span(update.values).subspan(v * size, size))
      squares += static_cast<double>(value) * static_cast<double>(value);
    EXPECT_NEAR(counted->norms[v], std::sqrt(squares), 0.01 * std::sqrt(squares)) << v;
  }
}

TEST_P(UpdateForms, TakeUpdatesThatArriveAtTheSameTime) {
  std::vector<Update> updates;
  for (std::uint32_t i = 0; i < clients; ++i) updates.push_back(make_update(i));
  for (const Update& update : updates) ASSERT_TRUE(form_->open(update.ticket));
  for (const Update& update : updates) append(update, 0, update.bytes.size() / 3);
  for (const Update& update : updates) append(update, update.bytes.size() / 3, update.bytes.size());
  for (const Update& update : updates) ASSERT_TRUE(form_->count(update.ticket.client));
  expect_mean(updates);
}

TEST_P(UpdateForms, KeepNothingOfADroppedUpdateWhichMayComeAgain) {
  const Update dropped = make_update(0), again = make_update(1), counted = make_update(2);
  ASSERT_TRUE(form_->open(dropped.ticket));
  append(dropped, 0, dropped.bytes.size() - 1);
  ASSERT_TRUE(form_->open(again.ticket));
  append(again, 0, again.bytes.size());
  form_->drop(dropped.ticket.client);
  form_->drop(again.ticket.client);
  form_->drop("nobody");
  ASSERT_TRUE(send(counted));
  form_->drop(counted.ticket.client);  // it stays in the mean
  ASSERT_TRUE(send(again));
  const Update all[] = {counted, again};
  expect_mean(all);
}

TEST_P(UpdateForms, RejectBytesThatWereNotOffered) {
  const Update good = make_update(0);
  Update other = make_update(1);
  other.ticket.checksum = good.ticket.checksum;
  const auto rejected = send(other);
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().code, ErrorCode::protocol);
  ASSERT_TRUE(send(good));
  close(other);
  ASSERT_TRUE(send(other)) << "the same client may try again";
  const Update all[] = {good, other};
  expect_mean(all);
}

TEST_P(UpdateForms, RejectAnInvalidUpdateOfWhichNothingIsInTheMean) {
  const Update good = make_update(0);
  Update bad = make_update(1);
  if (!kind().damage(bad.bytes)) GTEST_SKIP() << "every vector of its size is valid";
  close(bad);
  const auto rejected = send(bad);
  ASSERT_FALSE(rejected);
  EXPECT_EQ(rejected.error().code, ErrorCode::protocol);
  ASSERT_TRUE(send(good));
  expect_mean(std::span(&good, 1));
}

TEST_P(UpdateForms, BeginForgetsWhatAnAbandonedAttemptLeft) {
  const Update counted = make_update(0), open = make_update(1), next = make_update(0);
  ASSERT_TRUE(send(counted));
  ASSERT_TRUE(form_->open(open.ticket));
  append(open, 0, open.bytes.size() / 2);
  ASSERT_TRUE(form_->begin(kind().setup()));
  ASSERT_TRUE(send(next));
  expect_mean(std::span(&next, 1));
}

TEST_P(UpdateForms, GiveEachRoundItsOwnMean) {
  for (int round = 0; round < 3; ++round) {
    SCOPED_TRACE(round);
    ASSERT_TRUE(form_->begin(kind().setup()));
    const Update all[] = {make_update(0), make_update(static_cast<std::uint32_t>(1 + round))};
    for (const Update& update : all) ASSERT_TRUE(send(update));
    expect_mean(all);
    for (float& value : form_->scratch()) value = 3;  // it may be used
    form_->release();
  }
}

// Any order of calls that the header allows.
TEST_P(UpdateForms, AnyOrderOfCallsGivesTheMeanOfWhatWasCounted) {
  for (std::uint64_t seed = 1; seed <= 20; ++seed) {
    SCOPED_TRACE(seed);
    random_ = Random(seed);
    ASSERT_TRUE(form_->begin(kind().setup()));
    std::map<std::uint32_t, std::pair<Update, std::size_t>> open;  // by client, with what has arrived
    std::map<std::uint32_t, Update> counted;
    for (int call = 0; call < 200 || counted.empty(); ++call) {
      const auto client = static_cast<std::uint32_t>(random_.below(clients));
      if (counted.contains(client)) continue;
      if (!open.contains(client)) {
        open.emplace(client, std::pair(make_update(client), std::size_t{0}));
        ASSERT_TRUE(form_->open(open.at(client).first.ticket));
        continue;
      }
      auto& [update, arrived] = open.at(client);
      if (arrived == update.bytes.size()) {
        ASSERT_TRUE(form_->count(update.ticket.client));
        counted.emplace(client, update);
        open.erase(client);
      } else if (random_.chance(0.2)) {
        form_->drop(update.ticket.client);
        open.erase(client);
      } else {
        const std::size_t to = std::min<std::size_t>(update.bytes.size(), arrived + 1 + random_.below(8'000));
        append(update, arrived, to);
        arrived = to;
      }
    }
    for (const auto& [client, rest] : open) form_->drop(rest.first.ticket.client);
    std::vector<Update> all;
    for (const auto& [client, update] : counted) all.push_back(update);
    expect_mean(all);
  }
}

TEST(MaskedForm, OfOtherClientsThanTheSurvivorsCannotBeOpened) {
  const Masked kind;
  TemporaryFolder folder;
  WorkerPool workers(1);
  SpoolPool spools(folder / "spools", 1 << 20);
  const auto form = kind.make(workers, spools);
  ASSERT_TRUE(form->begin(kind.setup()));
  const std::vector<float> values(elements, 0.25F);
  UpdateTicket ticket{"a", 0, 0, {}, 10, 0};
  const auto bytes = kind.bytes_of(values, ticket);
  ticket.bytes = bytes.size();
  ticket.checksum = checksum(std::span<const std::byte>(bytes));
  ASSERT_TRUE(form->open(ticket));
  ASSERT_TRUE(form->append("a", bytes));
  ASSERT_TRUE(form->count("a"));
  sa::Subset others(clients);
  others.insert(0);
  others.insert(1);
  const auto refused = form->finish(kind.opening(others));
  ASSERT_FALSE(refused);
  EXPECT_NE(refused.error().code, ErrorCode::storage) << "it ends the attempt, not the run";
}

INSTANTIATE_TEST_SUITE_P(Kinds, UpdateForms,
                         ::testing::Values(std::make_shared<const Float32>(),
                                           std::make_shared<const Encoded>(),
                                           std::make_shared<const Masked>(),
                                           std::make_shared<const Float32Median>(),
                                           std::make_shared<const EncodedMedian>()),
                         [](const auto& kind) { return kind.param->name(); });

}  // namespace
}  // namespace hansa::server
