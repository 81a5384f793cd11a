#include "learning/data/follow/sqlite_feed.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/spelling.h"
#include "common/text.h"
#include "learning/data/kinds/records/column_choice.h"
#include "learning/data/kinds/sqlite/row_table.h"
#include "learning/data/kinds/sqlite/select_query.h"

namespace hansa::learning::internal {
namespace {

using kinds::ColumnChoice;
using kinds::RowTable;
using kinds::SelectQuery;
using nlohmann::json;

constexpr std::uint64_t records_of_one_arrival = 4'096;
constexpr std::size_t values_of_one_arrival = std::size_t{1} << 20;
constexpr std::int64_t before_all = std::numeric_limits<std::int64_t>::min();

std::string dumped(const json& value) { return value.dump(-1, ' ', false, json::error_handler_t::replace); }

}  // namespace

SqliteFeed::SqliteFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known)
    : data_(data),
      sequence_(follow.sequence),
      bad_rows_(follow.bad_rows),
      known_(std::move(known)),
      watch_(data.file.has_parent_path() ? data.file.parent_path() : ".") {}

void SqliteFeed::stored() {
  if (after_) last_ = std::exchange(after_, std::nullopt);
}

std::string SqliteFeed::position_text(std::int64_t last) const {
  return dumped({{"sequence", sequence_}, {"last", last}});
}

Result<void> SqliteFeed::restore() {
  if (is_restored_) return {};
  HANSA_TRY(const std::optional<std::string> position, known_(data_.file.string()));
  if (position) {
    const json kept = json::parse(*position, nullptr, false);
    const auto last = kept.is_object() ? kept.find("last") : kept.end();
    if (last == kept.end() || !last->is_number_integer() || !kept.contains("sequence")) {
      notes_.push_back({ErrorCode::data,
                        data_.file.string(),
                        "its stored position cannot be used; it is read from its first row",
                        {},
                        {ReasonCode::file_restarted, {}}});
    } else if (dumped(kept.at("sequence")) != dumped(json(sequence_))) {
      return fail(ErrorCode::usage, "data.sequence",
                  "is \"" + printable(sequence_) + "\", but the client's state has rows by " +
                      printable(dumped(kept.at("sequence"))),
                  "undo the change, or give the client a new state folder");
    } else {
      last_ = last->get<std::int64_t>();
    }
  }
  is_restored_ = true;
  return {};
}

Result<std::size_t> SqliteFeed::find_sequence(const SelectQuery& query) const {
  const auto found = std::ranges::find(query.columns(), sequence_);
  if (found != query.columns().end()) return static_cast<std::size_t>(found - query.columns().begin());
  const auto near = nearest_word(sequence_, query.columns());
  return fail(ErrorCode::data, data_.file.string() + ": data.query",
              "has no column \"" + printable(sequence_) + "\", which data.sequence names",
              near ? "did you mean \"" + printable(*near) + "\"?"
                   : "select the column that numbers the rows, for example SELECT id, ...",
              {ReasonCode::column_missing, {}});
}

// The number of a row is no input, unless data.columns names it.
Result<ColumnChoice> SqliteFeed::choose(const SelectQuery& query, std::size_t sequence) const {
  const std::string location = data_.file.string() + ": data.query";
  HANSA_TRY(ColumnChoice choice, kinds::choose_columns(data_, query.columns(), location));
  if (choice.label == sequence)
    return fail(ErrorCode::usage, "data.sequence", "is the label", "name the column that numbers the rows");
  if (data_.columns.empty()) std::erase(choice.inputs, sequence);
  if (choice.inputs.empty())
    return fail(ErrorCode::data, location, "has no column other than the label and data.sequence",
                "select the inputs", {ReasonCode::column_missing, {}});
  return choice;
}

std::string SqliteFeed::place_of(std::int64_t number) const {
  return "row with " + printable(sequence_) + " " + std::to_string(number);
}

Result<std::optional<Arrival>> SqliteFeed::read(SelectQuery& query, std::uint64_t records_max) {
  HANSA_TRY(const std::size_t sequence, find_sequence(query));
  HANSA_TRY(ColumnChoice choice, choose(query, sequence));
  const std::uint64_t most = std::min(records_max, records_of_one_arrival);
  // One more, which shows whether the number of the last one is there twice.
  HANSA_TRY_VOID(query.read_after(sequence_, last_.value_or(before_all), most + 1));
  RowTable table(data_, query.columns(), std::move(choice));
  Arrival out;
  std::optional<Error> bad;
  std::int64_t last = before_all;
  const auto has_room = [&] {
    return out.records < most && table.count() * table.input_count() < values_of_one_arrival;
  };
  while (true) {
    const auto more = query.next();
    if (!more) bad = more.error();
    if (!more || !*more) break;
    const std::optional<std::int64_t> number = query.value(sequence).integer;
    constexpr const char* hint = "name the column of an INTEGER PRIMARY KEY, best with AUTOINCREMENT";
    if (!number) {
      bad = Error{ErrorCode::data,
                  data_.file.string() + ": a row",
                  "has a value of data.sequence that is no integer",
                  hint,
                  {ReasonCode::value_invalid, {}}};
      break;
    }
    if (out.records > 0 && *number == last) {
      notes_.push_back(skipped(
          {ErrorCode::data,
           data_.file.string() + ": " + place_of(*number),
           "is there twice, but data.sequence must give each row a number of its own: it is read once",
           hint,
           {ReasonCode::value_invalid, {}}}));
      continue;
    }
    if (!has_room()) break;
    if (auto added = table.add(query, {place_of(*number)}); !added) {
      if (bad_rows_ == BadRows::refuse) {
        bad = added.error();
        break;
      }
      notes_.push_back(skipped(added.error()));
    }
    ++out.records;
    out.digest.add(std::to_string(*number));
    last = *number;
  }
  // Rows before a bad row are returned first. The error is returned when nothing else is left.
  if (out.records == 0) {
    if (bad) return tl::unexpected<Error>(std::move(*bad));
    return std::nullopt;
  }
  RowTable::Rows rows = table.take();
  out.source = data_.file.string();
  out.position = position_text(last);
  out.examples = std::move(rows.examples);
  out.description = std::move(rows.description);
  after_ = last;
  return out;
}

SqliteFeed::FileStates SqliteFeed::file_states() const {
  return {status_of(data_.file), status_of(std::filesystem::path(data_.file.string() + "-wal"))};
}

// Looked for only when the files have changed, because it may cost a look at every row.
Result<void> SqliteFeed::look_for_fall(const SelectQuery& query, const FileStates& states) {
  const auto is_same = [](const std::optional<FileStatus>& a, const std::optional<FileStatus>& b) {
    if (!a || !b) return a.has_value() == b.has_value();
    return a->identity.is_same(b->identity) && a->bytes == b->bytes && a->modified_ns == b->modified_ns;
  };
  if (!last_ || (looked_at_ && std::ranges::equal(*looked_at_, states, is_same))) return {};
  HANSA_TRY(const std::optional<std::int64_t> largest, query.largest(sequence_));
  looked_at_ = states;
  const bool has_fallen = !largest || *largest < *last_;
  if (has_fallen && !has_fallen_)
    notes_.push_back(
        {ErrorCode::data,
         data_.file.string(),
         (largest ? "its largest " + printable(sequence_) + " is " + std::to_string(*largest) : "is empty") +
             ", but rows up to " + std::to_string(*last_) +
             " were read: it was replaced, or its last rows were deleted",
         "rows with a larger number are read; to read all of them again, give the client a new state folder",
         {ReasonCode::file_unchanged, {}}});
  has_fallen_ = has_fallen;
  return {};
}

Result<std::optional<Arrival>> SqliteFeed::next(std::uint64_t records_max) {
  after_.reset();
  HANSA_TRY_VOID(restore());
  const FileStates states = file_states();
  if (!states[0]) return std::nullopt;  // it may be created later
  HANSA_TRY(SelectQuery query, SelectQuery::open(data_.file, data_.query));
  HANSA_TRY(std::optional<Arrival> arrival, read(query, std::max<std::uint64_t>(records_max, 1)));
  if (!arrival) HANSA_TRY_VOID(look_for_fall(query, states));
  return arrival;
}

}  // namespace hansa::learning::internal
