#include "learning/data/follow/folder_feed.h"

#include <algorithm>
#include <numeric>
#include <tuple>

#include <nlohmann/json.hpp>

#include "common/files.h"

namespace hansa::learning::internal {
namespace {

bool is_left_alone(const std::string& name) {
  return name.starts_with('.') || name.ends_with(".part") || name.ends_with(".tmp");
}

}  // namespace

FolderFeed::FolderFeed(const DataConfig& data, const FollowConfig& follow, KnownPosition known,
                       OpenDataSource open)
    : data_(data), follow_(follow), known_(std::move(known)), open_(std::move(open)), watch_(follow.folder) {}

// Ordered by time of modification.
Result<std::vector<ArrivedFile>> FolderFeed::files() const {
  std::vector<ArrivedFile> out;
  std::error_code error;
  for (const auto& entry : std::filesystem::directory_iterator(follow_.folder, error)) {
    if (is_left_alone(entry.path().filename().string())) continue;
    if (auto file = look_at(entry.path())) out.push_back(std::move(*file));
  }
  if (error)
    return fail(ErrorCode::data, follow_.folder.string(), "cannot be listed (" + error.message() + ")",
                "create the folder, or set data.folder to the folder into which files are moved",
                {ReasonCode::data_unreadable, {}});
  std::ranges::sort(out, {}, [](const ArrivedFile& f) { return std::tie(f.changed_ns, f.path); });
  return out;
}

Result<Arrival> FolderFeed::read(const ArrivedFile& file) const {
  DataConfig config = data_;
  config.file = file.path;
  HANSA_TRY(const auto source, open_(config));
  Arrival out;
  out.source = file.identity();
  HANSA_TRY(out.examples, copy_of(*source));
  out.records = out.examples.count();
  out.description = source->description();
  out.position = nlohmann::json{{"bytes", file.size}}.dump();
  HANSA_TRY(const Digest digest, digest_of_file(file.path));
  out.digest.add(digest);
  const auto after = look_at(file.path);
  if (!after || after->identity() != file.identity())
    return fail(ErrorCode::data, file.path.string(), "changed while it was read",
                "write files elsewhere on the same disk, and move them here when they are complete");
  return out;
}

void FolderFeed::remove(const ArrivedFile& file) {
  if (follow_.consumed_files == ConsumedFiles::keep) return;
  if (auto kept = remove_consumed(file)) notes_.push_back(*std::move(kept));
}

Result<std::optional<Arrival>> FolderFeed::next(std::uint64_t) {
  given_.reset();
  HANSA_TRY(const std::vector<ArrivedFile> found, files());
  for (const ArrivedFile& file : found) {
    const std::string identity = file.identity();
    if (consumed_.contains(identity) || refused_.contains(identity)) continue;
    HANSA_TRY(const auto position, known_(identity));
    if (position) {
      consumed_.insert(identity);
      remove(file);  // a crash happened after the examples were stored and before the file was removed
      continue;
    }
    auto arrival = read(file);
    if (!arrival) {
      refused_.insert(identity);
      notes_.push_back(skipped(arrival.error()));
      continue;
    }
    given_ = file;
    return std::optional(std::move(*arrival));
  }
  return std::nullopt;
}

void FolderFeed::stored() {
  if (!given_) return;
  consumed_.insert(given_->identity());
  remove(*given_);
  given_.reset();
}

}  // namespace hansa::learning::internal
