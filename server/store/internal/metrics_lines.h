// metrics.jsonl, for people and plots: a line for each commit and each evaluation.
//
//   {"round":1,"model":"sha256:..","selected":10,"counted":9,"lost":1,"examples":600,"seconds":1.5,
//    "train":{"loss":0.7},"update_norm":0.2}          at the commit; train: means over counted examples
//    and "held_out" if the clients measured the model that the round began with: held_out_json.h
//   {"round":1,"evaluation":{"loss":0.6,"accuracy":0.8}}   when evaluated; the last for a round counts
//
// The file is derived from the database and is therefore not flushed: lines that a crash lost are written again at the
// next open. A mean that is not a number is null.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "common/error.h"
#include "common/descriptor.h"
#include "server/store/store.h"

namespace hansa::server::internal {

// Without the newline.
[[nodiscard]] std::string round_line(const RoundRecord& record);
[[nodiscard]] std::string evaluation_line(RoundId round, const Metrics& metrics);
// The highest round that a complete line of the file names; empty if there is none, or if a line of it is damaged.
[[nodiscard]] Result<std::optional<RoundId>> newest_round_of(const std::filesystem::path& path);

class MetricsLines {
 public:
  // The lines that the file already has.
  struct Found {
    std::set<std::uint32_t> rounds;
    std::map<std::uint32_t, std::string> evaluations;  // the last line of each round
  };
  // Removes a last line without a newline. A file with an unreadable line is emptied, because all of it can be written
  // again.
  [[nodiscard]] static Result<MetricsLines> open(const std::filesystem::path& file, Found& found);
  // Appends the whole line, or nothing.
  [[nodiscard]] Result<void> append(const std::string& line);

 private:
  std::filesystem::path path_;
  Descriptor file_;
  std::int64_t size_ = 0;
};

}  // namespace hansa::server::internal
