#include "server/engine/internal/round_committer.h"

#include <cmath>

#include <gtest/gtest.h>

#include "common/vector_digest.h"
#include "server/store/memory_store.h"

namespace hansa::server::internal {
namespace {

constexpr std::size_t elements = 10;

// A sum that is over, with a mean that is given.
class GivenForm final : public UpdateForm {
 public:
  struct Values final : Mean {
    std::size_t elements() const override { return values.size(); }
    void read(std::size_t first, std::span<double> out) const override {
      std::copy_n(values.begin() + static_cast<std::ptrdiff_t>(first), out.size(), out.begin());
    }
    std::vector<double> values;
  };
  Result<void> begin(const RoundSetup&) override { return {}; }
  UpdateSizes sizes() const override { return {}; }
  Result<void> open(const UpdateTicket&) override { return {}; }
  Result<void> append(std::string_view, std::span<const std::byte>) override { return {}; }
  Result<CountedUpdate> count(std::string_view) override { return CountedUpdate{}; }
  void drop(std::string_view) override {}
  Result<Aggregate> finish(const std::optional<SumOpening>&) override {
    if (error) return tl::unexpected<Error>(*error);
    return Aggregate{mean, totals};
  }
  std::span<float> scratch() override { return {}; }
  void release() override { ++released; }

  Values mean;
  SumTotals totals;
  std::optional<Error> error;
  int released = 0;
};

class Quiet final : public EngineObserver {
 public:
  void on_log(const Log&) override {}
  void on_round_started(RoundId, std::uint32_t) override {}
  void on_committed(const RoundRecord&) override {}
};

class RoundCommitterTest : public ::testing::Test {
 protected:
  void SetUp() override {
    const std::vector<float> initial(elements, 1.0F);
    RunIdentity identity;
    identity.initial_model = vector_digest(initial);
    ASSERT_TRUE(store_.begin_run(identity, initial));
  }
  RoundCommitter committer(ServerOptimizerConfig optimizer, std::vector<std::string> vectors,
                           std::span<const StateVector> state = {}) {
    RoundCommitter out({elements, {}, std::move(optimizer), {"method", {}}, std::move(vectors)}, store_,
                       form_, workers_);
    const auto served = out.restore(**store_.position(), state, quiet_);
    EXPECT_TRUE(served) << served.error().text();
    return out;
  }
  RoundRecord record(std::uint32_t round) {
    RoundRecord out;
    out.round = RoundId(round);
    out.base = (*store_.position())->model;
    return out;
  }
  std::vector<float> vector(const Digest& digest) { return disk_->models.at(digest); }
  // Sets a mean of several parts with `elements` values each; all values of a part are equal.
  void set_mean(const std::vector<double>& parts) {
    form_.mean.values.clear();
    for (const double part : parts) form_.mean.values.insert(form_.mean.values.end(), elements, part);
  }

  std::shared_ptr<MemoryDisk> disk_ = std::make_shared<MemoryDisk>();
  std::function<Result<void>(std::string_view)> before_step_;
  MemoryStore store_{disk_, [this](std::string_view step) -> Result<void> {
                       return before_step_ ? before_step_(step) : Result<void>{};
                     }};
  WorkerPool workers_{1};
  GivenForm form_;
  Quiet quiet_;
};

TEST_F(RoundCommitterTest, AddsEachPartOfTheMeanToItsVector) {
  std::vector<StateVector> state;
  for (std::uint32_t round = 1; round <= 2; ++round) {
    auto c = committer({}, {"control", "teacher"}, state);  // as after a restart
    set_mean({0.5, 0.25, -1.0});
    auto outcome = c.commit(record(round), std::nullopt, {});
    ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
    state = std::get<Committed>(outcome).record.state;
  }
  ASSERT_EQ(state.size(), 2U);
  EXPECT_EQ(vector(disk_->rounds[1].model), std::vector<float>(elements, 2.0F));
  EXPECT_EQ(state[0].name, "method.control");
  EXPECT_EQ(vector(state[0].vector), std::vector<float>(elements, 0.5F));
  EXPECT_EQ(state[1].name, "method.teacher");
  EXPECT_EQ(vector(state[1].vector), std::vector<float>(elements, -2.0F));
  EXPECT_EQ(form_.released, 2);
}

// Of the model deltas only, whatever the server optimiser makes of them.
TEST_F(RoundCommitterTest, RecordsTheNormOfTheMeanUpdate) {
  auto c = committer({"fedavgm", 0.5}, {"control"});
  set_mean({0.5, 7});
  auto outcome = c.commit(record(1), std::nullopt, {});
  ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
  EXPECT_DOUBLE_EQ(std::get<Committed>(outcome).record.update_norm, 0.5 * std::sqrt(double{elements}));
  EXPECT_EQ(disk_->rounds[0].update_norm, std::get<Committed>(outcome).record.update_norm);
}

TEST_F(RoundCommitterTest, RecordsTheNormOfTheUpdateOfEachLayer) {
  RoundCommitter c(
      {elements, {}, {"fedavgm", 0.5}, {"method", {}}, {"control"}, ValueDigests::omitted, {3, 0, 1, 6}},
      store_, form_, workers_);
  ASSERT_TRUE(c.restore(**store_.position(), {}, quiet_));
  set_mean({0.5, 7});
  form_.mean.values[3] = -2;  // the layer with one value
  auto outcome = c.commit(record(1), std::nullopt, {});
  ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
  const std::vector<double> norms = *store_.layer_norms(RoundId(1));
  ASSERT_EQ(norms.size(), 4U);
  EXPECT_DOUBLE_EQ(norms[0], 0.5 * std::sqrt(3.0));
  EXPECT_EQ(norms[1], 0) << "a layer without values";
  EXPECT_DOUBLE_EQ(norms[2], 2);
  EXPECT_DOUBLE_EQ(norms[3], 0.5 * std::sqrt(6.0));
  EXPECT_DOUBLE_EQ(disk_->rounds[0].update_norm, std::sqrt(4.0 + 9 * 0.25));
}

TEST_F(RoundCommitterTest, ServesTheModelThatItCommitted) {
  auto c = committer({"fedavgm", 0.5}, {});
  set_mean({0.5});
  auto outcome = c.commit(record(1), std::nullopt, {});
  ASSERT_TRUE(std::holds_alternative<Committed>(outcome));
  const auto& [stored, served] = std::get<Committed>(outcome);
  EXPECT_EQ(served.names.model, stored.model);
  EXPECT_EQ(served.names.check, checksum(std::span<const float>(*served.whole)));
  EXPECT_EQ(std::vector<float>(served.whole->begin(), served.whole->end()), vector(stored.model));
}

TEST_F(RoundCommitterTest, ASumThatCannotBeOpenedChangesNothing) {
  auto c = committer({"fedavgm", 0.5}, {});
  form_.error = Error{ErrorCode::protocol, "sum", "is not one", ""};
  auto outcome = c.commit(record(1), std::nullopt, {});
  ASSERT_TRUE(std::holds_alternative<Refused>(outcome));
  EXPECT_EQ(std::get<Refused>(outcome).served.names.model, disk_->identity->initial_model);
  form_.error.reset();
  set_mean({0.5});
  outcome = c.commit(record(1), std::nullopt, {});
  ASSERT_TRUE(std::holds_alternative<Committed>(outcome))
      << "the next attempt starts from the same model and state";
  EXPECT_EQ(vector(disk_->rounds[0].model), std::vector<float>(elements, 1.5F));
}

TEST_F(RoundCommitterTest, AFailureOfTheStoreOrOfSpoolsEndsTheRun) {
  for (const char* failing : {"write model", "commit round"}) {
    auto c = committer({}, {});
    set_mean({0.5});
    before_step_ = [&](std::string_view step) -> Result<void> {
      if (step == failing) return fail(ErrorCode::storage, "disk", "is full");
      return {};
    };
    auto outcome = c.commit(record(1), std::nullopt, {});
    EXPECT_TRUE(std::holds_alternative<Error>(outcome)) << failing;
    EXPECT_TRUE(disk_->rounds.empty());
    before_step_ = {};
  }
  auto c = committer({}, {});
  form_.error = Error{ErrorCode::storage, "spool", "cannot be read", ""};
  EXPECT_TRUE(std::holds_alternative<Error>(c.commit(record(1), std::nullopt, {})));
}

}  // namespace
}  // namespace hansa::server::internal
