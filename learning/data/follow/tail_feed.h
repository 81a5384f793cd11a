// The rows of a CSV file that grows (kinds csv and windows).
//
// A last line without a newline is read once the newline is there. A file that was renamed and replaced by a new one
// (log rotation) is read to its end first, also if that happened while the client was not running, as long as it stays
// in the same folder. A file that became shorter, or whose read part changed, is read from its start, and a note
// reports it. Columns are found by their names: those of the first file's header are the inputs of all later ones. A
// file that begins without a header has that of the file before. A repeated header is not a row. The position of a file is returned as soon as the file is opened, without records, so that rows that are
// written and rotated away before the first arrival are found.
#pragma once
#include <optional>

#include "common/descriptor.h"
#include "learning/data/follow/feed.h"
#include "learning/data/follow/file_prefix.h"
#include "learning/data/follow/folder_watch.h"
#include "learning/data/follow/row_examples.h"
#include "learning/data/internal/csv_reader.h"

namespace hansa::learning::internal {

class TailFeed final : public Feed {
 public:
  TailFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known);

  [[nodiscard]] Result<std::optional<Arrival>> next(std::uint64_t records_max) override;
  void stored() override;
  void wait(Duration most, int wake) override { watch_.wait(most, wake); }
  [[nodiscard]] std::vector<Error> take_notes() override { return std::exchange(notes_, {}); }

 private:
  // The content of a position.
  struct State {
    FileIdentity file;
    CsvPosition at;
    std::string header;  // the line with the column names; empty: not read yet
    std::string header_before;  // of the file before this one, or of this file before it was truncated
    std::vector<std::string> columns;  // the inputs, by the first header; empty: not known yet
    FilePrefix prefix;  // the bytes up to at.offset: they show whether the file was rewritten
    // When the file was last modified, if nothing follows at.offset; 0: something follows, or unknown.
    std::int64_t modified_ns = 0;
    std::optional<std::string>
        before;  // of an older position: at most 64 bytes that end at at.offset, not a prefix
    std::optional<RowExamples> examples;
    bool is_stored = false;  // a position in this file was returned and stored
  };

  [[nodiscard]] Result<bool> attach();
  [[nodiscard]] Result<bool> attach_first();
  [[nodiscard]] Result<bool> open_path();
  [[nodiscard]] bool open_moved();
  [[nodiscard]] Result<bool> restore(const std::string& position);
  [[nodiscard]] Result<bool> still_the_same(FilePrefix::Depth depth);
  [[nodiscard]] Result<bool> has_bytes_before();
  void note_modification();
  [[nodiscard]] Result<std::optional<Arrival>> read(std::uint64_t records_max, CsvReader::LastLine last_line);
  [[nodiscard]] Result<Arrival> arrival_at(State state, Arrival arrival);
  // The state for another file, or for this file from its start.
  [[nodiscard]] static State next_file(const State& last);
  [[nodiscard]] Result<bool> read_header(CsvReader& reader, State& state);
  [[nodiscard]] Result<bool> is_row_of_before(const CsvRecord& record, const State& state) const;
  void note_hole(const CsvReader& reader);
  // Fixes the inputs by the first header; notes further columns of a later one.
  void take_columns(State& state, const CsvRowReader& rows);
  struct Rows;
  // Reads the next record. Returns false at the end.
  [[nodiscard]] Result<bool> read_row(CsvReader& reader, const CsvRowReader& rows, State& state, Rows& out);
  [[nodiscard]] Result<CsvRowReader> row_reader(const State& state) const;
  [[nodiscard]] bool replaced() const;
  void restart();
  [[nodiscard]] std::string position_text(const State& state) const;

  DataConfig data_;
  BadRows bad_rows_;
  KnownPosition known_;
  std::filesystem::path path_;
  FolderWatch watch_;
  bool first_look_ = true;
  Descriptor file_;
  State state_;
  std::optional<State> after_;  // the position after the last arrival, which is not yet stored
  [[nodiscard]] Error note(ReasonCode reason, std::string what) const;

  std::vector<Error> notes_;
};

}  // namespace hansa::learning::internal
