#include "learning/data/follow/tail_feed.h"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <fcntl.h>

#include "common/read_at.h"

namespace hansa::learning::internal {
namespace {

constexpr std::uint64_t records_of_one_arrival = 4'096;
constexpr std::size_t values_of_one_arrival = std::size_t{1} << 20;

}  // namespace

// What one call reads.
struct TailFeed::Rows {
  Arrival arrival;
  CsvRow row;
  ColumnRanges ranges;
  std::size_t values = 0;
  std::uint64_t headers = 0;  // that stood between the rows
  std::uint64_t header_line = 0;  // of the first one
  bool has_passed = false;  // something that is no row: the position has moved
};

TailFeed::TailFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known)
    : data_(data),
      bad_rows_(follow.bad_rows),
      known_(std::move(known)),
      path_(data.file),
      watch_(data.file.has_parent_path() ? data.file.parent_path() : ".") {}

void TailFeed::stored() {
  if (!after_) return;
  state_ = std::move(*after_);
  state_.is_stored = true;
  after_.reset();
}

Error TailFeed::note(ReasonCode reason, std::string what) const {
  return {ErrorCode::data, path_.string(), std::move(what), {}, {reason, {}}};
}

TailFeed::State TailFeed::next_file(const State& last) {
  State out;
  out.header_before = last.header.empty() ? last.header_before : last.header;
  out.columns = last.columns;
  return out;
}

void TailFeed::restart() {
  const FileIdentity file = state_.file;
  state_ = next_file(state_);
  state_.file = file;
}

Result<bool> TailFeed::open_path() {
  Descriptor file(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!file) {
    if (errno == ENOENT) return false;  // it may be created later
    return fail(ErrorCode::data, path_.string(),
                std::string("cannot be opened (") + std::strerror(errno) + ")",
                "give the user that runs this program read permission", {ReasonCode::data_unreadable, {}});
  }
  const auto status = status_of(file);
  if (!status || !status->regular)
    return fail(ErrorCode::data, path_.string(), "is not a file", "set data.file to a CSV file that grows");
  file_ = std::move(file);
  state_.file = status->identity;
  return true;
}

// Finds the file of the stored position under another name in the same folder.
bool TailFeed::open_moved() {
  std::error_code error;
  const auto folder = path_.has_parent_path() ? path_.parent_path() : std::filesystem::path(".");
  for (const auto& entry : std::filesystem::directory_iterator(folder, error)) {
    const auto status = status_of(entry.path());
    if (!status || !status->regular || !status->identity.is_same(state_.file)) continue;
    Descriptor file(::open(entry.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) continue;
    file_ = std::move(file);
    const auto same = still_the_same(FilePrefix::Depth::all);
    if (same && *same) return true;
    file_ = Descriptor();
  }
  return false;
}

Result<bool> TailFeed::attach_first() {
  HANSA_TRY(const std::optional<std::string> position, known_(path_.string()));
  if (!position) return open_path();
  HANSA_TRY(const bool usable, restore(*position));
  if (!usable) {
    notes_.push_back(
        note(ReasonCode::file_restarted, "its stored position cannot be used; it is read from its start"));
    state_ = State{};
    return open_path();
  }
  const auto status = status_of(path_);
  if (status && status->identity.is_same(state_.file)) return open_path();
  if (open_moved()) return true;
  if (!status) return false;  // open_moved() decides when the file returns
  notes_.push_back(
      note(ReasonCode::rows_lost,
           "was replaced while the client was not running, and the old file is gone: its lines after line " +
               std::to_string(state_.at.line) + " were not read"));
  notes_.back().reason.numbers = {{Quantity::line, state_.at.line}};
  state_ = next_file(state_);
  return open_path();
}

Result<bool> TailFeed::attach() {
  FilePrefix::Depth depth = FilePrefix::Depth::ends;
  if (!file_) {
    HANSA_TRY(const bool open, first_look_ ? attach_first() : open_path());
    if (!open) return false;
    first_look_ = false;
    depth = FilePrefix::Depth::all;
  }
  HANSA_TRY(const bool same, still_the_same(depth));
  if (!same) {
    notes_.push_back(
        note(ReasonCode::file_restarted, "was truncated or rewritten: it is read from its start"));
    restart();
  }
  note_modification();
  return true;
}

// An older Hansa stored the bytes before the position only. They are compared, and get a prefix.
Result<bool> TailFeed::has_bytes_before() {
  std::string found(state_.before->size(), '\0');
  const std::uint64_t offset = state_.at.offset;
  if (offset < found.size()) return false;
  const auto read =
      read_at(file_, offset - found.size(), std::as_writable_bytes(std::span(found.data(), found.size())));
  if (!read)
    return fail(ErrorCode::data, path_.string(),
                std::string("cannot be read (") + std::strerror(errno) + ")");
  if (*read != found.size() || found != *state_.before) return false;
  HANSA_TRY_VOID(state_.prefix.advance(file_, offset, path_));
  state_.before.reset();
  return true;
}

Result<bool> TailFeed::still_the_same(FilePrefix::Depth depth) {
  if (state_.before) return has_bytes_before();
  return state_.prefix.matches(file_, depth, path_);
}

// A file that was modified and did not grow was touched, or rewritten with the rows that it had.
void TailFeed::note_modification() {
  if (state_.modified_ns == 0) return;
  const auto status = status_of(file_);
  if (!status || status->bytes != state_.at.offset || status->modified_ns == state_.modified_ns) return;
  state_.modified_ns = status->modified_ns;
  notes_.push_back(note(ReasonCode::file_unchanged,
                        "was modified and has the same rows as before: they are not read again"));
  notes_.back().hint = "append rows, or replace the file by another one";
}

bool TailFeed::replaced() const {
  const auto status = status_of(path_);
  return status && status->bytes > 0 && !status->identity.is_same(state_.file);
}

Result<CsvRowReader> TailFeed::row_reader(const State& state) const {
  std::string_view left = state.header;
  CsvReader reader(
      [&left](std::span<std::uint8_t> out) -> Result<std::size_t> {
        const std::size_t size = std::min(out.size(), left.size());
        std::copy_n(left.begin(), size, out.begin());
        left.remove_prefix(size);
        return size;
      },
      path_.string(), data_.delimiter.at(0));
  CsvRecord header;
  HANSA_TRY(const bool has_header, reader.next(header));
  if (!has_header)
    return fail(ErrorCode::data, path_.string(), "has no header", "its first line must name the columns");
  DataConfig data = data_;
  if (data.columns.empty()) data.columns = state.columns;
  return CsvRowReader::create(data, header, path_.string());
}

// A line that is no row under the header of the file before is a header.
Result<bool> TailFeed::is_row_of_before(const CsvRecord& record, const State& state) const {
  if (state.header_before.empty() || record.bytes == state.header_before) return false;
  State before;
  before.header = state.header_before;
  before.columns = state.columns;
  HANSA_TRY(const CsvRowReader rows, row_reader(before));
  CsvRow row;
  return rows.read(record, row).has_value();
}

Result<bool> TailFeed::read_header(CsvReader& reader, State& state) {
  if (!state.header.empty()) return true;
  CsvRecord header;
  const auto whole = reader.next(header);
  // A damaged first line is skipped as a row if the header is known.
  const bool is_damaged_row =
      !whole && reader.is_damaged() && bad_rows_ == BadRows::skip && !state.header_before.empty();
  if (!whole && !is_damaged_row) return tl::unexpected<Error>(whole.error());
  if (whole && !*whole) return false;
  HANSA_TRY(const bool is_row, is_damaged_row ? Result<bool>(true) : is_row_of_before(header, state));
  if (is_row) {
    state.header = state.header_before;
    notes_.push_back(note(ReasonCode::header_missing,
                          "begins without a header: its rows are read under the header of the file before"));
    return true;
  }
  state.at = reader.position();
  constexpr std::size_t header_bytes_max = 1 << 16;  // within the reader's buffer
  if (header.bytes.size() > header_bytes_max)
    return fail(ErrorCode::data, path_.string() + ":1", "has a header of more than 64 KiB");
  state.header = header.bytes;
  return true;
}

Result<std::optional<Arrival>> TailFeed::read(std::uint64_t records_max, CsvReader::LastLine last_line) {
  State state = state_;
  std::uint64_t offset = state.at.offset;
  const CsvReader::ReadSome read_some = [&](std::span<std::uint8_t> out) -> Result<std::size_t> {
    const auto read = read_at(file_, offset, std::as_writable_bytes(out));
    if (!read)
      return fail(ErrorCode::data, path_.string(),
                  std::string("cannot be read (") + std::strerror(errno) + ")");
    offset += *read;
    return *read;
  };
  const auto reader_at = [&](const CsvPosition& at) {
    offset = at.offset;
    return CsvReader(read_some, path_.string(), data_.delimiter.at(0), last_line, at,
                     CsvReader::RawBytes::kept,
                     bad_rows_ == BadRows::skip ? CsvReader::Damage::passed : CsvReader::Damage::refused);
  };
  const std::size_t notes_before = notes_.size();
  CsvReader before_header = reader_at(state.at);
  HANSA_TRY(const bool has_header, read_header(before_header, state));
  if (!has_header) return std::nullopt;
  HANSA_TRY(const CsvRowReader rows, row_reader(state));
  take_columns(state, rows);
  if (!state.examples) state.examples.emplace(data_, rows.input_count());

  CsvReader reader = reader_at(state.at);
  Rows read;
  read.has_passed = notes_.size() != notes_before;  // a note is given once, so that the state must be stored
  const std::uint64_t most = std::min(records_max, records_of_one_arrival);
  std::optional<Error> bad;
  while (read.arrival.records + read.headers < most && read.values < values_of_one_arrival) {
    const auto more = read_row(reader, rows, state, read);
    if (!more) bad = more.error();
    if (!more || !*more) break;
  }
  // Of a file without a header of its own, both readers have passed the first hole.
  if (before_header.hole_bytes() > 0 && before_header.hole_line() != reader.hole_line())
    note_hole(before_header);
  if (reader.hole_bytes() > 0) note_hole(reader);
  if (reader.hole_bytes() > 0) {
    state.examples->leave_out_all();
    if (reader.position().offset > state.at.offset) state.at = reader.position();
    read.has_passed = true;
  }
  if (read.headers > 0) {
    notes_.push_back(
        note(ReasonCode::header_repeated,
             "has its header again in line " + std::to_string(read.header_line) +
                 (read.headers == 1 ? std::string() : " and " + std::to_string(read.headers - 1) + " more") +
                 ": it is no row"));
    notes_.back().reason.numbers = {{Quantity::line, read.header_line}};
    read.has_passed = true;
  }
  // Rows before a bad row are returned first. The error is returned when nothing else is left.
  if (read.arrival.records == 0 && !read.has_passed) {
    if (bad) return tl::unexpected<Error>(std::move(*bad));
    return std::nullopt;
  }
  read.arrival.examples = state.examples->take();
  read.arrival.description = rows.describe(read.arrival.examples.shape, read.ranges);
  return arrival_at(std::move(state), std::move(read.arrival));
}

Result<bool> TailFeed::read_row(CsvReader& reader, const CsvRowReader& rows, State& state, Rows& out) {
  CsvRecord record;
  const auto more = reader.next(record);
  if (more && !*more) return false;
  if (more && record.bytes == state.header) {
    if (out.headers++ == 0) out.header_line = record.line;
    state.at = reader.position();
    return true;
  }
  std::optional<Error> bad;
  bool has_group = more.has_value() && record.fields.size() == rows.field_count();
  if (!more) {
    if (bad_rows_ == BadRows::refuse || !reader.is_damaged()) return tl::unexpected<Error>(more.error());
    bad = more.error();
    HANSA_TRY(const bool passed, reader.skip_line(record));
    if (!passed) return false;
  } else if (const auto whole = rows.read(record, out.row); !whole) {
    if (bad_rows_ == BadRows::refuse) return tl::unexpected<Error>(whole.error());
    bad = whole.error();
  } else if (*whole) {
    state.examples->add(out.row);
    out.ranges.add(out.row.inputs);
    out.values += out.row.inputs.size();
  } else {
    state.examples->leave_out(out.row.group);
  }
  if (bad) {
    notes_.push_back(skipped(*bad));
    if (has_group) state.examples->leave_out(out.row.group);
    else state.examples->leave_out_all();
  }
  ++out.arrival.records;
  out.arrival.digest.add(record.bytes);
  state.at = reader.position();
  return true;
}

void TailFeed::note_hole(const CsvReader& reader) {
  notes_.push_back(skipped({ErrorCode::data,
                            path_.string() + ":" + std::to_string(reader.hole_line()),
                            "has " + std::to_string(reader.hole_bytes()) +
                                " NUL bytes between its lines, after a power cut or because it was truncated "
                                "while it was written",
                            "open the file for appending (O_APPEND)",
                            {ReasonCode::data_damaged, {{Quantity::line, reader.hole_line()}}}}));
}

// The columns of a later file are found by their names, so that their order may change.
void TailFeed::take_columns(State& state, const CsvRowReader& rows) {
  if (!data_.columns.empty() || state.examples) return;
  if (state.columns.empty()) {
    state.columns = rows.input_names();
    return;
  }
  const std::size_t further = rows.further_columns();
  if (further == 0) return;
  notes_.push_back(note(ReasonCode::columns_ignored,
                        "has " + std::to_string(further) + (further == 1 ? " column" : " columns") +
                            " that the file before did not have: they are no inputs"));
  notes_.back().reason.numbers = {{Quantity::count, further}};
}

// Completes the arrival whose records end where `state` is.
Result<Arrival> TailFeed::arrival_at(State state, Arrival arrival) {
  HANSA_TRY_VOID(state.prefix.advance(file_, state.at.offset, path_));
  const auto status = status_of(file_);
  state.modified_ns = status && status->bytes == state.at.offset ? status->modified_ns : 0;
  arrival.source = path_.string();
  arrival.position = position_text(state);
  after_ = std::move(state);
  return arrival;
}

Result<std::optional<Arrival>> TailFeed::next(std::uint64_t records_max) {
  after_.reset();
  for (int files = 0; files < 2; ++files) {
    HANSA_TRY(const bool attached, attach());
    if (!attached) return std::nullopt;
    // This is checked before reading: rows written to the old file after the check are read by the call that finds the
    // file replaced.
    const bool last = replaced();
    auto arrival = read(records_max, last ? CsvReader::LastLine::whole : CsvReader::LastLine::torn);
    if (arrival && *arrival) return arrival;
    // A file without rows, or with an error, has a position too: a client that is stopped now finds the file after a
    // rotation.
    if (!state_.is_stored) return arrival_at(state_, {});
    if (!arrival || !last) return arrival;
    file_ = Descriptor();
    state_ = next_file(state_);
  }
  return std::nullopt;
}

}  // namespace hansa::learning::internal
