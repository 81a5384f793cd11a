// A client that follows a CSV file, and what it has taken.
#pragma once
#include <filesystem>
#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "learning/data/follow/feed.h"
#include "tests/data/data_files.h"
#include "tests/data/read_source.h"

namespace hansa::learning::testing {

class Tail : public ::testing::Test {
 protected:
  Tail() {
    data_.kind = "csv";
    data_.file = folder_ / "rows.csv";
    data_.label = "y";
  }

  void append(const std::string& text, const std::string& name = "rows.csv") const {
    std::ofstream(folder_ / name, std::ios::app) << text;
  }
  // Creates a new reader that continues from the stored position, as after a restart.
  void restart() {
    auto feed = open_feed(
        data_, follow_, "test",
        [this](const std::string& source) -> Result<std::optional<std::string>> {
          const auto found = positions_.find(source);
          if (found == positions_.end()) return std::nullopt;
          return found->second;
        },
        open_data_source);
    ASSERT_TRUE(feed) << feed.error().text();
    feed_ = std::move(*feed);
  }
  // Takes and stores all arrivals, and returns their labels.
  std::vector<std::int64_t> take(std::uint64_t records_max = 1000) {
    if (!feed_) restart();
    std::vector<std::int64_t> out;
    for (;;) {
      auto arrival = feed_->next(records_max);
      if (!arrival) {
        error_ = arrival.error().text();
        break;
      }
      if (!*arrival) break;
      const Arrival& a = **arrival;
      const Labels labels = values_of<std::int64_t>(a.examples, 1);
      out.insert(out.end(), labels.begin(), labels.end());
      const std::vector<float> inputs = values_of<float>(a.examples, 0);
      inputs_.insert(inputs_.end(), inputs.begin(), inputs.end());
      records_ += a.records;
      digest_.add(a.digest.value());
      positions_[a.source] = a.position;
      feed_->stored();
    }
    for (auto& note : feed_->take_notes()) notes_.push_back(note.text());
    return out;
  }
  using Labels = std::vector<std::int64_t>;

  TemporaryFolder folder_;
  DataConfig data_;
  FollowConfig follow_;
  std::map<std::string, std::string> positions_;
  std::unique_ptr<Feed> feed_;
  std::uint64_t records_ = 0;
  MultisetDigest digest_;
  std::vector<float> inputs_;
  std::vector<std::string> notes_;
  std::string error_;
};

}  // namespace hansa::learning::testing
