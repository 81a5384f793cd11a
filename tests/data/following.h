// A client that follows arriving data, and what it has taken.
#pragma once
#include <filesystem>
#include <fstream>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "learning/data/follow/feed.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning::testing {

class Following : public ::testing::Test {
 protected:
  using Labels = std::vector<std::int64_t>;

  // Creates a new feed that continues from the stored positions, as after a restart.
  void restart() {
    feed_.reset();
    auto feed = open_feed(data_, follow_, "test-client", known(), open_);
    ASSERT_TRUE(feed) << feed.error().text();
    feed_ = std::move(*feed);
  }
  [[nodiscard]] KnownPosition known() {
    return [this](const std::string& source) -> Result<std::optional<std::string>> {
      const auto found = positions_.find(source);
      if (found == positions_.end()) return std::nullopt;
      return found->second;
    };
  }
  // Stores an arrival, and returns its labels.
  Labels store(const Arrival& arrival) {
    const std::vector<float> inputs = values_of<float>(arrival.examples, 0);
    inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
    if (arrival.description) description_ = arrival.description;
    records_ += arrival.records;
    digest_.add(arrival.digest.value());
    positions_[arrival.source] = arrival.position;
    feed_->stored();
    return values_of<std::int64_t>(arrival.examples, arrival.examples.shape.inputs.size());
  }
  void collect_notes() {
    for (const Error& note : feed_->take_notes()) notes_.push_back(note.text());
  }
  // Stores all arrivals, and returns their labels. Ends at an error.
  Labels take(std::uint64_t records_max = 1'000) {
    if (!feed_) restart();
    Labels out;
    for (;;) {
      const auto arrival = feed_->next(records_max);
      if (!arrival) error_ = arrival.error().text();
      if (!arrival || !*arrival) break;
      const Labels labels = store(**arrival);
      out.insert(out.end(), labels.begin(), labels.end());
    }
    collect_notes();
    return out;
  }

  TemporaryFolder folder_;
  DataConfig data_;
  FollowConfig follow_;
  OpenDataSource open_ = open_data_source;
  std::map<std::string, std::string> positions_;  // stored, by source
  std::unique_ptr<Feed> feed_;
  // Of all arrivals that were stored.
  std::vector<float> inputs_;
  std::optional<DataDescription> description_;  // of the last one that has any
  std::uint64_t records_ = 0;
  MultisetDigest digest_;
  std::vector<std::string> notes_;
  std::string error_;  // the last one
};

// Of a CSV file that grows.
class FollowingRows : public Following {
 protected:
  FollowingRows() {
    data_.kind = "csv";
    data_.file = folder_ / "rows.csv";
    data_.label = "y";
  }
  void append(const std::string& text, const std::string& name = "rows.csv") const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
};

}  // namespace hansa::learning::testing
