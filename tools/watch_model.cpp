#include "tools/watch_model.h"

#include <algorithm>
#include <array>
#include <cmath>

namespace hansa::tools {
namespace {

constexpr std::array<const char*, 4> kept_series{"train/accuracy", "train/loss", "held_out/accuracy",
                                                 "held_out/loss"};

struct Source {
  const char* group;
  const char* name;
};
constexpr std::array<Source, 3> sources{
    {{"evaluation", "test"}, {"held_out", "held out"}, {"train", "training"}}};

}  // namespace

void WatchModel::add(const server::RoundRecord& record) {
  const server::SeriesRow round = server::round_row(record);
  for (const server::SeriesRow& row : {round, server::held_out_row(record)})
    for (const server::SeriesValue& value : row.values)
      if (std::ranges::find(kept_series, value.name) != kept_series.end() && std::isfinite(value.value))
        series_[value.name].push_back({row.round, row.time, value.value});
  for (const server::SeriesValue& value : round.values) {
    if (value.name == "bytes/up") bytes_up_ += value.value;
    if (value.name == "bytes/down") bytes_down_ += value.value;
  }
  seconds_.push_back(std::isfinite(record.seconds) ? record.seconds : 0);
  last_ = record.round;
  last_commit_ = round.time;
  rounds_.push_back(record);
  if (rounds_.size() > rounds_kept) rounds_.pop_front();
}

void WatchModel::set_evaluations(const std::vector<std::pair<RoundId, Metrics>>& evaluations) {
  evaluations_ = {evaluations.begin(), evaluations.end()};
  series_.erase("evaluation/accuracy");
  series_.erase("evaluation/loss");
  for (const auto& [round, metrics] : evaluations_)
    for (const char* metric : {"accuracy", "loss"})
      if (const auto mean = mean_of(metrics, metric); mean && std::isfinite(*mean))
        series_[std::string("evaluation/") + metric].push_back({round, 0, *mean});
}

const Metrics* WatchModel::evaluation(RoundId round) const {
  const auto found = evaluations_.find(round);
  return found == evaluations_.end() ? nullptr : &found->second;
}

Course WatchModel::course(const std::string& metric) const {
  for (const Source& source : sources) {
    const auto found = series_.find(std::string(source.group) + "/" + metric);
    if (found != series_.end() && !found->second.empty()) return {source.name, found->second};
  }
  return {};
}

std::optional<double> WatchModel::median_seconds() const {
  constexpr std::size_t most = 100;
  if (seconds_.empty()) return std::nullopt;
  std::vector<double> last(seconds_.end() - static_cast<std::ptrdiff_t>(std::min(most, seconds_.size())),
                           seconds_.end());
  const auto middle = last.begin() + static_cast<std::ptrdiff_t>(last.size() / 2);
  std::ranges::nth_element(last, middle);
  return *middle;
}

}  // namespace hansa::tools
