// The TensorBoard event file of a run: what the run has is appended, and nothing twice, however often the file is opened.
//
// The file is DIR/RUN/events.out.tfevents.SECONDS.hansa, where SECONDS is when the run's first round started. It is
// derived from the run and not flushed: what a crash lost or cut off is missing, and is appended again after the next
// open().
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"
#include "server/output/series.h"

namespace hansa::server {

// Of a run that has committed its first round, at the time `started`.
[[nodiscard]] std::filesystem::path event_file_of(const std::filesystem::path& folder, const std::string& run,
                                                  double started);

// One thread at a time.
class EventFile {
 public:
  // Makes the folders and the file if they are missing. A damaged or incomplete record and all after it are cut off.
  // Fails (storage) if the file cannot be written, or another process has it open in this way.
  [[nodiscard]] static Result<EventFile> open(const std::filesystem::path& file, double started);

  // Whether the file has the row of this kind ("round", "held_out", "evaluation") and round.
  [[nodiscard]] bool has(const std::string& kind, RoundId round) const;
  // Appends the row, or nothing if it has no values or the file has it. Fails (storage) and appends nothing if the disk
  // is full.
  [[nodiscard]] Result<void> append(const SeriesRow& row);
  [[nodiscard]] const std::filesystem::path& path() const { return path_; }

 private:
  explicit EventFile(std::filesystem::path path) : path_(std::move(path)) {}
  [[nodiscard]] Result<void> read();
  [[nodiscard]] Result<void> write(const std::string& record);
  void remember(const std::string& kind, RoundId round);

  std::filesystem::path path_;
  Descriptor file_;
  std::int64_t size_ = 0;  // of its complete records
  std::map<std::string, std::vector<bool>, std::less<>> known_;  // rounds by kind
};

// Appends the rows that the file does not have.
[[nodiscard]] Result<void> append_missing(EventFile& file, const std::vector<SeriesRow>& rows);

}  // namespace hansa::server
