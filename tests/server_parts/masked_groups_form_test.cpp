// Masked updates of several groups at the same time. The masks are all zero, so that nothing has to be removed.
#include <thread>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/range.h"
#include "server/aggregation/make_update_form.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

namespace sa = secure_aggregation;

constexpr std::uint32_t clients = 3;
constexpr std::size_t elements = 5'000;

class MaskedGroups : public ::testing::Test {
 protected:
  MaskedGroups() {
    setup_.federation = "harbour";
    setup_.round = RoundId(1);
    setup_.clients = clients;
    setup_.segments = {{elements, 1.0}};
    setup_.quantisation = sa::first_quantisation(clients, 1'000);
  }

  std::unique_ptr<UpdateForm> make(SumOf sum_of) {
    UpdateFormConfig config{elements, nullptr, 8, {}};
    config.sum_of = sum_of;
    return make_update_form(config, workers_, spools_);
  }
  [[nodiscard]] MaskedSetup setup(SumNumber sum) const {
    return {sha256("context " + std::to_string(sum)), clients, sa::vector_elements(setup_),
            setup_.quantisation.ring_bits, sum};
  }
  void open(UpdateForm& form, const std::string& client, std::uint32_t index, SumNumber sum, float value) {
    const std::vector<float> values(elements, value);
    std::vector<std::uint32_t> ring(sa::vector_elements(setup_));
    ASSERT_TRUE(sa::quantise(values, 10, {}, setup_, Secret32(), ring));
    std::vector<std::byte> bytes(sa::packed_bytes(ring.size(), setup_.quantisation.ring_bits));
    sa::pack(ring, setup_.quantisation.ring_bits, bytes);
    UpdateTicket ticket{client, index, bytes.size(), checksum(std::span<const std::byte>(bytes)),
                        0,      0,     {},           sum};
    ASSERT_TRUE(form.open(ticket));
    ASSERT_TRUE(form.append(client, bytes));
  }
  void count(UpdateForm& form, const std::string& client, std::uint32_t index, SumNumber sum, float value) {
    open(form, client, index, sum, value);
    const auto counted = form.count(client);
    ASSERT_TRUE(counted) << counted.error().text();
  }
  [[nodiscard]] SumOpening opening(SumNumber sum, std::initializer_list<std::uint32_t> survivors) const {
    sa::Subset set(clients);
    for (const std::uint32_t at : survivors) set.insert(at);
    SumOpening out{setup_, {}, set};
    out.sum = sum;
    return out;
  }
  static std::vector<double> values_of(const Mean& mean) {
    std::vector<double> out(mean.elements());
    mean.read(0, out);
    return out;
  }

  TemporaryFolder folder_;
  WorkerPool workers_{1};
  SpoolPool spools_{folder_ / "spools", 8 << 20};
  sa::SumSetup setup_;
};

TEST_F(MaskedGroups, EachSumHasItsOwnUpdatesAndItsMeanCountsWhatTheOpeningSays) {
  const auto alone = make(SumOf::cohort);
  ASSERT_TRUE(alone->begin(setup(0)));
  const auto form = make(SumOf::buffer);
  ASSERT_TRUE(form->begin(setup(7)));
  ASSERT_TRUE(form->begin(setup(8)));
  open(*form, "x", 0, 8, 0.5F);  // it is not complete while the other sum is opened
  for (std::uint32_t i = 0; i < clients; ++i) {
    const std::string client(1, static_cast<char>('a' + i));
    count(*alone, client, i, 0, 0.25F);
    count(*form, client, i, 7, 0.25F);
  }
  auto opens = opening(7, {0, 1, 2});
  opens.weight = 0.5;
  const auto reference = alone->finish(opening(0, {0, 1, 2}));
  ASSERT_TRUE(reference) << reference.error().text();
  const auto aggregate = form->finish(std::move(opens));
  ASSERT_TRUE(aggregate) << aggregate.error().text();
  auto expected = values_of(reference->mean);
  for (double& value : expected) value *= 0.5;
  EXPECT_EQ(values_of(aggregate->mean), expected);
  EXPECT_EQ(aggregate->totals.examples, reference->totals.examples);
  form->release();
  ASSERT_TRUE(form->count("x")) << "the other sum is still there";
  EXPECT_TRUE(form->finish(opening(8, {0})));
  form->release();
  EXPECT_FALSE(form->finish(opening(7, {0, 1, 2}))) << "a sum is opened once";
}

TEST_F(MaskedGroups, ASumIsOpenedOnAnotherThreadWhileAnotherOneGrows) {
  const auto form = make(SumOf::buffer);
  ASSERT_TRUE(form->begin(setup(1)));
  for (std::uint32_t i = 0; i < clients; ++i)
    count(*form, std::string(1, static_cast<char>('a' + i)), i, 1, 0.25F);
  std::vector<double> opened;
  std::thread commit([&] {
    const auto aggregate = form->finish(opening(1, {0, 1, 2}));
    if (aggregate) opened = values_of(aggregate->mean);
    (void)form->scratch();
    form->release();
  });
  for (SumNumber sum = 2; sum < 6; ++sum) {
    EXPECT_TRUE(form->begin(setup(sum)));
    count(*form, "x", 0, sum, 0.5F);
    open(*form, "y", 1, sum, 0.5F);
    form->drop("y");
    if (sum % 2 == 0) form->drop_sum(sum);
  }
  commit.join();
  ASSERT_EQ(opened.size(), elements);
  EXPECT_NEAR(opened[0], 0.25, 0.02);
  EXPECT_TRUE(form->finish(opening(5, {0})));
}

TEST_F(MaskedGroups, WhatBelongsToASumThatHasEndedIsRefused) {
  const auto form = make(SumOf::buffer);
  ASSERT_TRUE(form->begin(setup(1)));
  open(*form, "a", 0, 1, 0.25F);
  form->drop_sum(1);
  form->drop("a");  // it has no open update any more
  EXPECT_FALSE(form->count("a"));
  EXPECT_FALSE(form->append("a", std::vector<std::byte>(10)));
  EXPECT_FALSE(form->finish(opening(1, {0})));
  ASSERT_TRUE(form->begin(setup(2)));
  count(*form, "a", 0, 2, 0.25F);
  EXPECT_TRUE(form->finish(opening(2, {0})));
}

}  // namespace
}  // namespace hansa::server
