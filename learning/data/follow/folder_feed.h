// Whole files that are moved into a folder. Each file gives its examples once, as one arrival.
//
// A file is identified by name, size, time of modification and inode, so a different file under a known name counts as
// new. A file that cannot be used is reported once and left in the folder.
#pragma once
#include <set>

#include "learning/data/follow/arrived_file.h"
#include "learning/data/follow/feed.h"
#include "learning/data/follow/folder_watch.h"

namespace hansa::learning::internal {

class FolderFeed final : public Feed {
 public:
  FolderFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known, OpenDataSource open);

  // A file is never split, even if it has more than records_max records.
  [[nodiscard]] Result<std::optional<Arrival>> next(std::uint64_t records_max) override;
  void stored() override;
  void wait(Duration most, int wake) override { watch_.wait(most, wake); }
  [[nodiscard]] std::vector<Error> take_notes() override { return std::exchange(notes_, {}); }

 private:
  [[nodiscard]] Result<std::vector<ArrivedFile>> files() const;
  [[nodiscard]] Result<Arrival> read(const ArrivedFile& file) const;
  void remove(const ArrivedFile& file);

  DataConfig data_;
  FollowConfig follow_;
  KnownPosition known_;
  OpenDataSource open_;
  FolderWatch watch_;
  std::set<std::string> consumed_, refused_;  // identities
  std::optional<ArrivedFile> given_;
  std::vector<Error> notes_;
};

}  // namespace hansa::learning::internal
