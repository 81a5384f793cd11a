// Recomputes the models of rounds of cohorts whose updates are summed securely.
#include <map>

#include "common/vector_digest.h"
#include "tests/simulation/checks.h"
#include "tests/simulation/model_chain.h"
#include "tests/simulation/secure_sum.h"

namespace hansa::testing {
namespace {

class Check {
 public:
  explicit Check(const World& world) : world_(world) {}

  std::string operator()(const server::RoundRecord& record, ModelChain& chain) {
    if (!record.secure) return "was not summed securely";
    // Which attempts opened a sum without a commit is not recorded. The seeds of the clients' training depend on it.
    constexpr std::uint32_t opened_max = 20;  // the largest number of crashes in these worlds
    std::string first;
    for (std::uint32_t opened = 0; opened <= opened_max; ++opened) {
      auto left_over = left_over_;
      std::vector<float> mean;
      std::string wrong =
          sum_securely(world_, record, {record.round, opened}, chain.published(), left_over, mean);
      if (wrong.empty()) {
        ModelChain::Step step = chain.step([&](std::size_t i) { return static_cast<double>(mean[i]); });
        if (record.model == vector_digest(step.model)) {
          left_over_ = std::move(left_over);
          return chain.append(record, std::move(step));
        }
        wrong = "the model is not the mean";
      }
      if (opened == 0) first = std::move(wrong);
    }
    return first;
  }

 private:
  const World& world_;
  std::map<std::string, std::vector<float>> left_over_;
};

}  // namespace

std::string check_secure_models(const World& world) { return check_rounds(world, Check(world)); }

}  // namespace hansa::testing
