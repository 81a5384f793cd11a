// The models of a run, as the checks recompute them from round to round.
#pragma once
#include <functional>
#include <string>
#include <vector>

#include "common/digest.h"
#include "server/store/store.h"
#include "tests/simulation/world.h"

namespace hansa::testing {

// From the initial model on: what the aggregator committed, what clients have of it, and the state of server momentum.
class ModelChain {
 public:
  struct Step {
    std::vector<float> model, velocity;
  };

  explicit ModelChain(const World& world);

  // The model that the next round starts from.
  [[nodiscard]] const Digest& base() const { return base_; }
  [[nodiscard]] const std::vector<float>& global() const { return world_.disk->models.at(base_); }
  // What clients train on after a round; 0: before the first one. Another model than the committed one if changes are sent
  // through a codec.
  [[nodiscard]] const std::vector<float>& published(RoundId after) const { return published_[after.value]; }
  [[nodiscard]] const std::vector<float>& published() const { return published_.back(); }

  // The optimiser's step from the mean change of each value.
  [[nodiscard]] Step step(const std::function<double(std::size_t)>& change) const;
  // Adds a round whose model is that of `step`. Returns an empty string, or how the record differs.
  [[nodiscard]] std::string append(const server::RoundRecord& record, Step step);

 private:
  [[nodiscard]] std::string publish(const server::RoundRecord& record, const std::vector<float>& next);

  const World& world_;
  Digest base_, published_digest_;
  std::vector<std::vector<float>> published_;
  std::vector<float> velocity_;
};

// Calls check(record, chain) for each committed round, which appends the round to the chain. Returns an empty string, or the
// first difference with its round.
std::string check_rounds(const World& world,
                         const std::function<std::string(const server::RoundRecord&, ModelChain&)>& check);

}  // namespace hansa::testing
