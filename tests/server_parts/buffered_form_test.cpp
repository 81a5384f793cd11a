// The sum of a buffer: weights by age, updates that outlive a buffer, and what is refused.
#include "server/aggregation/buffered_form.h"

#include <cmath>
#include <thread>

#include <gtest/gtest.h>

#include "common/random.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/seeds.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

constexpr std::size_t elements = 3'000;
constexpr std::uint64_t unit = 1 << 16;

class BufferedFormTest : public ::testing::Test {
 protected:
  BufferedFormTest() { begin(form); }

  static void begin(UpdateForm& form) {
    ASSERT_TRUE(form.begin(PlainSetup{{.weight_max = unit, .updates_max = 4, .magnitude_max = 4.0F}, 17}));
  }
  static std::vector<float> values_of(std::uint64_t seed) {
    Random random(seed);
    std::vector<float> out(elements);
    for (float& value : out) value = static_cast<float>(0.1 * random.normal());
    return out;
  }
  static void open(UpdateForm& form, const std::string& client, std::span<const std::byte> bytes,
                   std::optional<std::uint64_t> cohort_seed = {}) {
    ASSERT_TRUE(form.open({client, 0, bytes.size(), checksum(bytes), 1, 99, cohort_seed}));
  }
  void arrive(const std::string& client, std::span<const float> values) {
    open(form, client, std::as_bytes(values));
    ASSERT_TRUE(form.append(client, std::as_bytes(values)));
  }
  Result<CountedUpdate> count(const std::string& client, std::uint64_t weight,
                              double norm_max = std::numeric_limits<double>::infinity()) {
    form.amend(client, {weight, unit, norm_max});
    return form.count(client);
  }
  std::vector<double> mean(UpdateForm& of) {
    auto aggregate = of.finish({});
    std::vector<double> out(elements);
    if (aggregate) aggregate->mean.read(0, out);
    of.release();
    return out;
  }

  TemporaryFolder folder;
  WorkerPool workers{2};
  SpoolPool spools{folder / "spools", 1 << 20};
  BufferedForm form{elements, nullptr, workers, spools};
};

TEST_F(BufferedFormTest, TheSumIsDividedByTheFullWeights) {
  const auto fresh = values_of(1), stale = values_of(2);
  arrive("a", fresh);
  arrive("b", stale);
  ASSERT_TRUE(count("a", unit));
  ASSERT_TRUE(count("b", unit / 2));
  const auto out = mean(form);
  for (std::size_t i = 0; i < elements; ++i)
    ASSERT_NEAR(out[i], (static_cast<double>(fresh[i]) + 0.5 * static_cast<double>(stale[i])) / 2, 1e-9) << i;
}

TEST_F(BufferedFormTest, TheOrderOfTheUpdatesChangesNoBit) {
  std::vector<std::vector<double>> means;
  for (const auto& order : {std::array{1, 2, 3}, std::array{3, 1, 2}}) {
    begin(form);
    for (const int i : order) {
      arrive(std::to_string(i), values_of(static_cast<std::uint64_t>(i)));
      ASSERT_TRUE(count(std::to_string(i), unit / static_cast<unsigned>(i)));
    }
    means.push_back(mean(form));
  }
  EXPECT_EQ(means[0], means[1]);
}

TEST_F(BufferedFormTest, AnUpdateThatIsArrivingOutlivesTheBuffer) {
  const auto first = values_of(1), second = values_of(2);
  arrive("a", first);
  const auto bytes = std::as_bytes(std::span<const float>(second));
  open(form, "b", bytes);
  ASSERT_TRUE(form.append("b", bytes.first(4'000)));
  ASSERT_TRUE(count("a", unit));
  const auto out = mean(form);
  for (std::size_t i = 0; i < elements; ++i)
    ASSERT_NEAR(out[i], first[i], 1e-9) << "a part of b is in the sum";
  ASSERT_TRUE(form.append("b", bytes.subspan(4'000, 4'000)));
  begin(form);
  ASSERT_TRUE(form.append("b", bytes.subspan(8'000)));
  ASSERT_TRUE(count("b", unit));
  const auto next = mean(form);
  for (std::size_t i = 0; i < elements; ++i) ASSERT_NEAR(next[i], second[i], 1e-9) << i;
}

// Run under the thread sanitiser, this shows that both sides share no data.
TEST_F(BufferedFormTest, UpdatesArriveWhileAnotherThreadReadsTheMean) {
  arrive("a", values_of(1));
  ASSERT_TRUE(count("a", unit));
  std::thread commit([&] {
    for (int i = 0; i < 20; ++i) {
      auto aggregate = form.finish({});
      std::vector<double> out(elements);
      aggregate->mean.read(0, out);
    }
    (void)form.scratch();
    form.release();
  });
  for (int i = 0; i < 20; ++i) {
    arrive("b", values_of(2));
    form.drop("b");
  }
  arrive("c", values_of(3));
  commit.join();
  begin(form);
  EXPECT_TRUE(count("c", unit));
}

TEST_F(BufferedFormTest, ARefusedUpdateLeavesNothingInTheSum) {
  const auto good = values_of(1);
  auto bad = values_of(2);
  bad.back() = std::numeric_limits<float>::quiet_NaN();
  arrive("a", good);
  ASSERT_TRUE(count("a", unit));
  arrive("b", bad);
  const auto refused = count("b", unit);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::protocol);
  const auto loud = values_of(3);
  arrive("c", loud);
  EXPECT_FALSE(count("c", unit, 0.5)) << "its norm is about 5";
  arrive("d", values_of(4));
  EXPECT_FALSE(count("d", unit + 1)) << "beyond weight_max";
  const auto out = mean(form);
  for (std::size_t i = 0; i < elements; ++i) ASSERT_NEAR(out[i], good[i], 1e-9) << i;
}

TEST_F(BufferedFormTest, EncodedUpdatesHaveTheSeedsOfTheirOwnRound) {
  const std::vector<codecs::Segment> segments{{elements, *codecs::parse_spec("randk(0.2, q8)", "test"), 0}};
  const auto plan = std::make_shared<const codecs::Plan>(*codecs::Plan::create(segments));
  BufferedForm encoded(elements, plan, workers, spools);
  begin(encoded);
  const auto values = values_of(1);
  const std::uint64_t own_seed = 1'234;
  std::vector<std::byte> bytes;
  std::vector<float> kept(plan->state_values());
  ASSERT_TRUE(codecs::Encoder(*plan).encode(values, {}, kept, codecs::update_seeds(99, own_seed), 4.0F,
                                            codecs::Entropy::never, bytes));
  open(encoded, "a", bytes, own_seed);
  ASSERT_TRUE(encoded.append("a", bytes));
  encoded.amend("a", {unit, unit, std::numeric_limits<double>::infinity()});
  const auto counted = encoded.count("a");
  ASSERT_TRUE(counted) << counted.error().text();
  const auto out = mean(encoded);
  // Where a value was sent it has the sign of the original: with other places half of them would not.
  for (std::size_t i = 0; i < elements; ++i) {
    if (std::abs(out[i]) < 0.05) continue;
    ASSERT_GT(out[i] * static_cast<double>(values[i]), 0) << i;
  }
}

}  // namespace
}  // namespace hansa::server
