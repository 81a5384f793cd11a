// The rows of a query on an SQLite database to which another program adds rows (kind sqlite).
//
// A column of the query numbers the rows: the rowid, or another integer that is larger in each new row. Rows with a larger
// number than that of the last one are new. So a row that is changed or removed after it was read is not noticed, nor is one
// that is inserted with a smaller number. A database that is locked by its writer is waited for for some seconds, and tried
// again after the error.
#pragma once
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "learning/data/follow/feed.h"
#include "learning/data/follow/file_prefix.h"
#include "learning/data/follow/folder_watch.h"

namespace hansa::learning::kinds {
class SelectQuery;
struct ColumnChoice;
}  // namespace hansa::learning::kinds

namespace hansa::learning::internal {

class SqliteFeed final : public Feed {
 public:
  SqliteFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known);

  [[nodiscard]] Result<std::optional<Arrival>> next(std::uint64_t records_max) override;
  void stored() override;
  void wait(Duration most, int wake) override { watch_.wait(most, wake); }
  [[nodiscard]] std::vector<Error> take_notes() override { return std::exchange(notes_, {}); }

 private:
  // What changes when the database does: of the file, and of its write-ahead log.
  using FileStates = std::array<std::optional<FileStatus>, 2>;

  [[nodiscard]] Result<void> restore();
  [[nodiscard]] Result<std::size_t> find_sequence(const kinds::SelectQuery& query) const;
  [[nodiscard]] Result<kinds::ColumnChoice> choose(const kinds::SelectQuery& query,
                                                   std::size_t sequence) const;
  [[nodiscard]] Result<std::optional<Arrival>> read(kinds::SelectQuery& query, std::uint64_t records_max);
  [[nodiscard]] Result<void> look_for_fall(const kinds::SelectQuery& query, const FileStates& states);
  [[nodiscard]] std::string place_of(std::int64_t number) const;
  [[nodiscard]] FileStates file_states() const;
  [[nodiscard]] std::string position_text(std::int64_t last) const;

  DataConfig data_;
  std::string sequence_;
  BadRows bad_rows_;
  KnownPosition known_;
  FolderWatch watch_;
  bool is_restored_ = false;
  std::optional<std::int64_t> last_;  // the number of the last row that was read; empty: none was
  std::optional<std::int64_t> after_;  // that of the last arrival, which is not yet stored
  std::optional<FileStates> looked_at_;  // when the largest number was last compared
  bool has_fallen_ = false;  // and a note was given
  std::vector<Error> notes_;
};

}  // namespace hansa::learning::internal
