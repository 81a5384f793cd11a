#include "learning/data/follow/labelled_feed.h"

#include <algorithm>
#include <chrono>
#include <tuple>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/files.h"
#include "common/text.h"
#include "learning/data/left_out.h"

namespace hansa::learning::internal {
namespace {

using kinds::LabelledFile;
using kinds::LabelledFiles;

// Files that are read together.
constexpr std::uint64_t files_together_max = 64;
constexpr std::uint64_t image_bytes_together_max = std::uint64_t{64} << 20;  // decoded
constexpr std::uint64_t sound_bytes_together_max = std::uint64_t{8} << 20;  // of the files
constexpr std::size_t watched_max = 4'096;

std::int64_t wall_clock_ns() {
  return std::chrono::duration_cast<std::chrono::nanoseconds>(
             std::chrono::system_clock::now().time_since_epoch())
      .count();
}

// "a.png, b.png and 3 more"
std::string some_of(const std::vector<std::string>& names) {
  constexpr std::size_t shown_max = 3;
  std::string out;
  for (std::size_t i = 0; i < std::min(names.size(), shown_max); ++i)
    out += (i == 0 ? "" : ", ") + printable(names[i]);
  return out + (names.size() > shown_max ? " and " + std::to_string(names.size() - shown_max) + " more" : "");
}

std::string count_of_files(std::size_t count, const char* one, const char* more) {
  return std::to_string(count) + (count == 1 ? std::string(" file ") + one : std::string(" files ") + more);
}

Error without_files(const std::string& location, std::string what, std::string hint, std::size_t count) {
  return skipped({ErrorCode::data,
                  location,
                  std::move(what),
                  std::move(hint),
                  {ReasonCode::data_unreadable, {{Quantity::count, count}}}});
}

std::uint64_t images_together(const DataConfig& data) {
  const std::uint64_t bytes =
      std::uint64_t{data.size} * data.size * (data.color == Color::grey ? 1 : 3) * sizeof(float);
  return std::clamp<std::uint64_t>(image_bytes_together_max / std::max<std::uint64_t>(bytes, 1), 1,
                                   files_together_max);
}

}  // namespace

LabelledFeed::LabelledFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known,
                           OpenDataSource open, WallClock now)
    : data_(data),
      consumed_files_(follow.consumed_files),
      known_(std::move(known)),
      reader_(data, std::move(open)),
      now_(now ? std::move(now) : wall_clock_ns),
      watch_(!data.class_folders.empty()   ? data.class_folders
             : data.file.has_parent_path() ? data.file.parent_path()
                                           : ".") {}

std::string LabelledFeed::location() const {
  return (data_.class_folders.empty() ? data_.file : data_.class_folders).string();
}

// Those that are there, in the order in which they are taken.
std::vector<LabelledFeed::File> LabelledFeed::files_of(const LabelledFiles& listed) {
  std::vector<File> out;
  std::vector<std::string> missing;
  for (const LabelledFile& file : listed.files) {
    const std::filesystem::path folder = file.path.parent_path();
    if (watched_.size() < watched_max && watched_.insert(folder).second) watch_.add(folder);
    if (auto found = look_at(file.path)) out.push_back({*std::move(found), file});
    else if (missing_.insert(file.name).second) missing.push_back(file.name);
  }
  if (data_.class_folders.empty()) note_missing(missing);
  else std::ranges::sort(out, {}, [](const File& f) { return std::tie(f.found.changed_ns, f.found.path); });
  return out;
}

void LabelledFeed::note_missing(const std::vector<std::string>& names) {
  if (names.empty()) return;
  notes_.push_back(without_files(
      location(),
      count_of_files(names.size(), "that it names is not there: ", "that it names are not there: ") +
          some_of(names),
      "write the file before its line; it is read when it is there", names.size()));
}

// Files that were seen before they were complete, and are gone.
void LabelledFeed::note_removed() {
  std::vector<std::string> names;
  std::erase_if(settling_, [&](const auto& entry) {
    if (look_at(entry.first)) return false;
    names.push_back(entry.first.filename().string());
    return true;
  });
  if (names.empty()) return;
  notes_.push_back(without_files(
      location(),
      count_of_files(names.size(),
                     "was removed before it was read: ", "were removed before they were read: ") +
          some_of(names),
      "remove files that were consumed only: hansa data consumed lists them", names.size()));
}

bool LabelledFeed::has_settled(const ArrivedFile& file) {
  const std::int64_t now = now_();
  std::string identity = file.identity();
  auto& [known, since_ns] = settling_[file.path];
  if (known != identity) {
    known = std::move(identity);
    since_ns = now;
  }
  const std::int64_t needed = std::chrono::nanoseconds(settling).count();
  return now - file.changed_ns >= needed || now - since_ns >= needed;
}

Result<void> LabelledFeed::look(std::uint64_t files_max) {
  problem_.reset();
  if (data_.class_folders.empty() && !look_at(data_.file)) return {};  // it may be created later
  HANSA_TRY(const LabelledFiles listed, find_labelled_files(data_, kinds::Listing::growing));
  problem_ = listed.problem;
  const std::uint64_t most =
      std::min(files_max, data_.kind == "images" ? images_together(data_) : files_together_max);
  std::vector<File> taken;
  std::uint64_t bytes = 0;
  for (File& file : files_of(listed)) {
    const std::string identity = file.found.identity();
    if (consumed_.contains(identity) || refused_.contains(identity)) continue;
    HANSA_TRY(const auto position, known_(identity));
    if (position) {
      consumed_.insert(identity);
      remove(file.found);  // a crash happened after the examples were stored and before the file was removed
      continue;
    }
    if (!has_settled(file.found)) continue;
    bytes += file.found.size;
    if (!taken.empty() && data_.kind == "audio" && bytes > sound_bytes_together_max) break;
    taken.push_back(std::move(file));
    if (taken.size() >= most) break;
  }
  note_removed();
  if (taken.empty()) return {};
  return read(taken);
}

Result<void> LabelledFeed::read(const std::vector<File>& files) {
  std::vector<LabelledFile> labelled;
  for (const File& file : files) labelled.push_back(file.labelled);
  HANSA_TRY(std::vector<FileExamples> examples, reader_.read(labelled));
  std::vector<Error> damaged;
  for (std::size_t i = 0; i < files.size(); ++i) {
    const ArrivedFile& file = files[i].found;
    const std::string identity = file.identity();
    const auto digest = digest_of_file(file.path);
    const auto after = look_at(file.path);
    if (!digest || !after || after->identity() != identity) continue;  // it is looked at again
    settling_.erase(file.path);
    if (examples[i].problem && !examples[i].is_damaged()) {
      refused_.insert(identity);
      notes_.push_back(skipped(*examples[i].problem));
      continue;
    }
    Arrival arrival;
    arrival.source = identity;
    arrival.position = nlohmann::json{{"bytes", file.size}}.dump();
    arrival.records = 1;
    arrival.digest.add(*digest);
    if (examples[i].problem) {
      damaged.push_back(*std::move(examples[i].problem));
    } else {
      arrival.examples = std::move(examples[i].examples);
      arrival.description = std::move(examples[i].description);
    }
    ready_.push_back({file, std::move(arrival)});
  }
  if (!damaged.empty()) notes_.push_back(note_of_damaged(location(), damaged, "skipped"));
  return {};
}

void LabelledFeed::remove(const ArrivedFile& file) {
  if (consumed_files_ == ConsumedFiles::keep) return;
  if (auto kept = remove_consumed(file)) notes_.push_back(*std::move(kept));
}

Result<std::optional<Arrival>> LabelledFeed::next(std::uint64_t records_max) {
  given_.reset();
  if (ready_.empty()) HANSA_TRY_VOID(look(std::max<std::uint64_t>(records_max, 1)));
  if (ready_.empty()) {
    if (problem_) return tl::unexpected<Error>(*problem_);
    return std::nullopt;
  }
  Ready first = std::move(ready_.front());
  ready_.pop_front();
  given_ = std::move(first.file);
  return std::optional(std::move(first.arrival));
}

void LabelledFeed::stored() {
  if (!given_) return;
  consumed_.insert(given_->identity());
  remove(*given_);
  given_.reset();
}

void LabelledFeed::wait(Duration most, int wake) {
  watch_.wait(settling_.empty() ? most : std::min(most, settling), wake);
}

}  // namespace hansa::learning::internal
