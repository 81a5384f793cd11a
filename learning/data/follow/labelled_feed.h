// Images or sounds that arrive as files (kinds images and audio): in a folder for each class, or named by new lines of a CSV
// file of paths and labels. Each file is one arrival, whose source is the file's identity (arrived_file.h).
//
// A file is taken when it is complete: when its size and its time of modification have not changed for `settling`, by that time or
// since an earlier look. A file that was renamed into place keeps its time, so that it is taken at once if it is older. The
// files of one look are taken in the order of their times, or of the lines. A file that cannot be decoded counts as a record
// without an example, and is not read again after a restart. A file that is gone before it was read is reported.
#pragma once
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "learning/data/follow/arrived_file.h"
#include "learning/data/follow/feed.h"
#include "learning/data/follow/folder_watch.h"
#include "learning/data/follow/labelled_reader.h"

namespace hansa::learning::internal {

class LabelledFeed final : public Feed {
 public:
  static constexpr Duration settling = std::chrono::seconds(2);
  using WallClock = std::function<std::int64_t()>;  // nanoseconds since 1970

  // `now` must be the clock of the file system's times.
  LabelledFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known, OpenDataSource open,
               WallClock now = {});

  [[nodiscard]] Result<std::optional<Arrival>> next(std::uint64_t records_max) override;
  void stored() override;
  void wait(Duration most, int wake) override;
  [[nodiscard]] std::vector<Error> take_notes() override { return std::exchange(notes_, {}); }

 private:
  struct File {
    ArrivedFile found;
    kinds::LabelledFile labelled;
  };
  struct Ready {
    ArrivedFile file;
    Arrival arrival;
  };
  // A file that may not be complete.
  struct Settling {
    std::string identity;
    std::int64_t since_ns = 0;  // of the first look at which it had this identity
  };
  [[nodiscard]] Result<void> look(std::uint64_t files_max);
  [[nodiscard]] std::vector<File> files_of(const kinds::LabelledFiles& listed);
  [[nodiscard]] bool has_settled(const ArrivedFile& file);
  void note_removed();
  void note_missing(const std::vector<std::string>& names);
  [[nodiscard]] Result<void> read(const std::vector<File>& files);
  void remove(const ArrivedFile& file);
  [[nodiscard]] std::string location() const;

  DataConfig data_;
  ConsumedFiles consumed_files_;
  KnownPosition known_;
  LabelledReader reader_;
  WallClock now_;
  FolderWatch watch_;
  std::set<std::filesystem::path> watched_;
  std::set<std::string> consumed_, refused_;  // identities
  std::map<std::filesystem::path, Settling> settling_;
  std::set<std::string> missing_;  // names in the CSV file that were reported
  std::optional<Error> problem_;  // of the CSV file, behind the lines that can be read
  std::deque<Ready> ready_;
  std::optional<ArrivedFile> given_;
  std::vector<Error> notes_;
};

}  // namespace hansa::learning::internal
