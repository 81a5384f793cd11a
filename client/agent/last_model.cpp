#include "client/agent/last_model.h"

#include <algorithm>
#include <utility>

#include "protocols/round/client_task.h"

namespace hansa::client {

std::optional<messages::Pull> LastModel::begin(SharedTask task, const messages::Finished& finished,
                                               std::uint32_t chunk_bytes, Instant now) {
  task_.reset();
  if (finished.model == done_) return std::nullopt;
  bytes_ = messages::model_of(*task).bytes;
  task_ = std::move(task);
  finished_ = finished;
  received_ = pulled_ = 0;
  window_max_ = std::uint64_t{round::ClientTask::chunks_in_flight} * chunk_bytes;
  window_.begin(now);
  return pull_more();
}

std::optional<messages::Pull> LastModel::take(const messages::BlobChunk& chunk, std::uint64_t bytes,
                                              Instant now, std::vector<Effect>& effects) {
  if (!fetches(chunk.blob) || chunk.offset != received_ || bytes == 0 || bytes > bytes_ - received_)
    return std::nullopt;
  effects.emplace_back(KeepLastModel{received_, bytes_});
  received_ += bytes;
  window_.arrived(bytes, window_max_, now);
  pulled_ = std::max(pulled_, received_);
  if (received_ < bytes_) return pull_more();
  effects.emplace_back(ServeLastModel{std::exchange(task_, nullptr), finished_.round, finished_.model});
  done_ = finished_.model;
  return std::nullopt;
}

std::optional<messages::Pull> LastModel::pull_more() {
  const std::uint64_t window = std::min(window_.bytes(), window_max_);
  const std::uint64_t wanted = std::min(bytes_, received_ + window);
  // At least half of the window at a time, so that one Pull serves several chunks.
  if (pulled_ >= wanted || (pulled_ > received_ && wanted < bytes_ && wanted - pulled_ < window / 2))
    return std::nullopt;
  const messages::Pull pull{finished_.model, pulled_, static_cast<std::uint32_t>(wanted - pulled_)};
  pulled_ = wanted;
  return pull;
}

}  // namespace hansa::client
