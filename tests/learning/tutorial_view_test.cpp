// view() and view_as() as the code of tutorials writes them.
#include <gmock/gmock.h>

#include "tests/learning/typed_examples.h"

namespace hansa::learning {
namespace {

using torch::jit::Module;

// Weights and images are in channels-last order here, which the code of most tutorials does not expect.
class TutorialView : public testing::TypedExamples {
 protected:
  void convolution(const std::string& forward) {
    Module module("m");
    module.register_attribute("training", c10::BoolType::get(), true);
    const auto ramp = [](std::vector<std::int64_t> sizes, std::int64_t count) {
      return (at::arange(count, at::kFloat) * 0.9).sin().reshape(sizes).requires_grad_(true);
    };
    module.register_parameter("filters", ramp({2, 3, 3, 3}, 54), false);
    module.register_parameter("weight", ramp({3, 32}, 96), false);
    module.define(forward);
    module.save(archive_.string());
    data(one_input({3, 6, 6}, class_target(3)));
  }
};

TEST_F(TutorialView, ViewsBehindAConvolutionAndOfWeightsAreTrainedAsInPyTorch) {
  for (const char* view : {"h.view(-1, 32)", "h.view(h.size(0), -1)", "h.view([h.size(0), 2 * 16])",
                           "h.view_as(torch.flatten(h, 1))"}) {
    convolution(std::string("def forward(self, x):\n"
                            "    h = torch.relu(torch.conv2d(x, self.filters))\n"
                            "    w = self.filters.view(2, -1)\n"
                            "    return torch.linear(") +
                view + ", self.weight) + w.sum()\n");
    expect_trained_as(
        [&](Module& m) { return at::cross_entropy_loss(m.forward({tensor(0)}).toTensor(), tensor(1)); });
  }
}

// reshape() would copy, and what is written to the copy would be lost.
TEST_F(TutorialView, AViewThatIsWrittenToStaysAView) {
  convolution(R"(
def forward(self, x):
    h = torch.relu(torch.conv2d(x, self.filters)) * 1.0
    rows = h.view(h.size(0), 2, 16)
    rows.mul_(3.0)
    return torch.linear(torch.flatten(h, 1), self.weight)
)");
  const auto trained = train();
  if (!trained) return;  // refused by PyTorch, and not silently wrong
  const std::vector<float> wanted = expected(
      [&](Module& m) { return at::cross_entropy_loss(m.forward({tensor(0)}).toTensor(), tensor(1)); });
  for (std::size_t i = 0; i < wanted.size(); ++i) EXPECT_NEAR(delta_[i], wanted[i], 1e-4) << i;
}

}  // namespace
}  // namespace hansa::learning
