// The models that clients of buffered aggregation can fetch: the newest one, and earlier ones that a slow client still fetches.
//
// Each needs the memory of one model, so that they are bounded. A value; no I/O, clock or thread.
#pragma once
#include <algorithm>
#include <cstddef>
#include <memory>
#include <optional>
#include <vector>

#include "common/time.h"
#include "server/coordinator/config.h"

namespace hansa::server {

class ServedModels {
 public:
  using Model = std::shared_ptr<const PublishedModel>;
  static constexpr std::size_t models_max = 4;

  void add(const PublishedModel& newest) {
    models_.push_back(std::make_shared<const PublishedModel>(newest));
  }
  // Requires that a model was added since the last retire().
  [[nodiscard]] const Model& newest() const { return models_.back(); }
  [[nodiscard]] bool has(const Model& model) const {
    return std::ranges::find(models_, model) != models_.end();
  }
  // Before a commit: keeps the models for which is_fetched(model) is true, with room for the new one. The oldest ones stay,
  // so that a client on a slow link gets its model in the end; a client that fetches the newest ones has lost least.
  template <class IsFetched>
  void retire(const IsFetched& is_fetched) {
    std::erase_if(models_, [&](const Model& model) { return !is_fetched(model); });
    if (models_.size() > models_max - 1) models_.resize(models_max - 1);
  }
  [[nodiscard]] std::vector<Digest> names() const {
    std::vector<Digest> out;
    for (const Model& model : models_) out.push_back(model->model);
    return out;
  }

 private:
  std::vector<Model> models_;
};

// Whether a client that has not pulled all of its model fetches it at the moment. moved_at: its last progress.
[[nodiscard]] inline bool is_fetching_model(const std::optional<Instant>& moved_at, Instant task_sent_at,
                                            Duration stall, Instant now) {
  constexpr Duration first_pull = std::chrono::seconds(10);  // from the task to the client's first Pull
  return moved_at ? now - *moved_at < stall : now - task_sent_at < first_pull;
}

}  // namespace hansa::server
