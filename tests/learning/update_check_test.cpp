// What a refused update says: the parameter, its change, and the range of the data.
#include "learning/internal/update_check.h"

#include <algorithm>
#include <limits>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

class Examples final : public DataSource {
 public:
  explicit Examples(std::vector<float> inputs)
      : shape_(one_input({2}, class_target(2))), inputs_(std::move(inputs)) {}
  std::uint64_t example_count() const override { return inputs_.size() / 2; }
  const ExampleShape& shape() const override { return shape_; }
  std::uint64_t memory_bytes() const override { return 0; }
  std::string location() const override { return "rows.csv"; }
  Result<void> read(std::span<const std::uint32_t> indices,
                    std::span<const TensorBytes> tensors) const override {
    const std::span<float> inputs = values_of<float>(tensors[0]);
    for (std::size_t i = 0; i < indices.size(); ++i)
      std::copy_n(inputs_.begin() + 2 * indices[i], 2, inputs.begin() + static_cast<std::ptrdiff_t>(2 * i));
    return {};
  }

 private:
  ExampleShape shape_;
  std::vector<float> inputs_;
};

struct UpdateCheck : ::testing::Test {
  [[nodiscard]] std::string refusal(std::vector<float> update) const {
    const auto checked = check_update(layout, update, 64, data);
    if (checked) return "accepted";
    EXPECT_EQ(checked.error().reason, (Reason{ReasonCode::diverged, {}}))
        << "no number of it leaves the device";
    return checked.error().text();
  }
  ParameterLayout layout = ParameterLayout::create({{"fc.weight", {2}, ParameterKind::trainable, 0, 0},
                                                    {"bn1.running_var", {2}, ParameterKind::buffer, 0, 0},
                                                    {"fc.bias", {1}, ParameterKind::trainable, 0, 0}})
                               .value();
  Examples data{{-3, 40'000, 5, std::numeric_limits<float>::infinity()}};
};

TEST_F(UpdateCheck, ValuesWithinTheLimitAreAccepted) {
  EXPECT_EQ(refusal({64, -64, 0, 0, 1}), "accepted");
  EXPECT_TRUE(check_update({}, {}, 64, data));
}

TEST_F(UpdateCheck, ABufferIsNotMovedByTheLearningRate) {
  const std::string text = refusal({65, 0, 1, 9122, 0});
  EXPECT_THAT(text, HasSubstr("bn1.running_var changed by 9122, and limits.magnitude_max allows 64"));
  EXPECT_THAT(text, HasSubstr("the inputs range from -3 to 4e+04"));
  EXPECT_THAT(text, HasSubstr("scale the inputs"));
  EXPECT_THAT(text, Not(HasSubstr("learning_rate")));
}

TEST_F(UpdateCheck, ATrainedParameterIs) {
  EXPECT_THAT(refusal({0, -65, 0, 0, 64}), HasSubstr("fc.weight changed by -65"));
  EXPECT_THAT(refusal({0, 0, 0, 0, -1000}), HasSubstr("fc.bias changed by -1000"));
  EXPECT_THAT(refusal({0, 1e30F, 0, 0, std::numeric_limits<float>::quiet_NaN()}),
              HasSubstr("fc.bias became infinite or NaN"));
  EXPECT_THAT(refusal({-65, 0, 0, 0, 0}), HasSubstr("lower training.learning_rate"));
}

}  // namespace
}  // namespace hansa::learning
