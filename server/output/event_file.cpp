#include "server/output/event_file.h"

#include <algorithm>
#include <optional>

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include <fmt/format.h>

#include "common/append_at.h"
#include "common/files.h"
#include "common/open_file.h"
#include "server/output/internal/event_record.h"

namespace hansa::server {
namespace {

// Rounds of an event that are above this are not those of a run, and are not remembered.
constexpr std::uint32_t round_most = 1U << 28U;

// Reads a file in order, in large pieces.
class Pieces {
 public:
  explicit Pieces(int file) : file_(file) {}
  // Empty at the end of the file, or if it cannot be read.
  std::optional<std::string> take(std::size_t bytes) {
    while (buffer_.size() - at_ < bytes) {
      buffer_.erase(0, at_);
      at_ = 0;
      std::string piece(std::max<std::size_t>(bytes, std::size_t{1} << 16U), '\0');
      const ssize_t n = ::pread(file_, piece.data(), piece.size(), offset_);
      if (n < 0 && errno == EINTR) continue;
      if (n <= 0) return std::nullopt;
      buffer_.append(piece, 0, static_cast<std::size_t>(n));
      offset_ += n;
    }
    std::string out = buffer_.substr(at_, bytes);
    at_ += bytes;
    return out;
  }

 private:
  int file_;
  off_t offset_ = 0;
  std::string buffer_;
  std::size_t at_ = 0;
};

// The next record's message; `bytes` is the size of the record. Empty: there is no further complete record.
std::optional<std::string> next_message(Pieces& in, std::int64_t& bytes) {
  const auto head = in.take(internal::record_head_bytes);
  if (!head) return std::nullopt;
  const auto size = internal::message_bytes(*head);
  if (!size) return std::nullopt;
  const auto rest = in.take(*size + sizeof(std::uint32_t));
  if (!rest) return std::nullopt;
  std::string message = rest->substr(0, *size);
  if (internal::framed(message) != *head + *rest) return std::nullopt;
  bytes = static_cast<std::int64_t>(head->size() + rest->size());
  return message;
}

}  // namespace

std::filesystem::path event_file_of(const std::filesystem::path& folder, const std::string& run,
                                    double started) {
  const double seconds = std::clamp(started, 0.0, 1e11);
  return folder / safe_component(run) /
         fmt::format("events.out.tfevents.{:010d}.hansa", static_cast<std::uint64_t>(seconds));
}

Result<EventFile> EventFile::open(const std::filesystem::path& file, double started) {
  HANSA_TRY_VOID(make_folders(file.parent_path()));
  EventFile out(file);
  out.file_ = open_file(file, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (!out.file_) return fail_with_errno(file, "cannot be opened");
  if (::flock(out.file_.get(), LOCK_EX | LOCK_NB) != 0)
    return fail(ErrorCode::storage, file.string(), "is being written by another process",
                "an aggregator with [output] tensorboard keeps it up to date");
  HANSA_TRY_VOID(out.read());
  if (out.size_ == 0) HANSA_TRY_VOID(out.write(internal::framed(internal::version_event(started))));
  return out;
}

Result<void> EventFile::read() {
  Pieces in(file_.get());
  std::int64_t bytes = 0;
  while (const auto message = next_message(in, bytes)) {
    size_ += bytes;
    if (const auto key = internal::key_of_event(*message)) remember(key->kind, key->round);
  }
  struct stat now {};
  if (::fstat(file_.get(), &now) != 0) return fail_with_errno(path_, "cannot be read");
  if (now.st_size != size_ && ::ftruncate(file_.get(), size_) != 0)
    return fail_with_errno(path_, "cannot be cut to its last complete record");
  return {};
}

void EventFile::remember(const std::string& kind, RoundId round) {
  if (round.value > round_most) return;
  std::vector<bool>& rounds = known_[kind];
  if (rounds.size() <= round.value) rounds.resize(round.value + std::size_t{1});
  rounds[round.value] = true;
}

bool EventFile::has(const std::string& kind, RoundId round) const {
  const auto found = known_.find(kind);
  return found != known_.end() && round.value < found->second.size() && found->second[round.value];
}

Result<void> EventFile::append(const SeriesRow& row) {
  if (row.values.empty()) return {};
  const internal::EventKey key = internal::key_of(row);
  if (has(key.kind, key.round)) return {};
  HANSA_TRY_VOID(write(internal::framed(internal::event_of(row))));
  remember(key.kind, key.round);
  return {};
}

Result<void> EventFile::write(const std::string& record) { return append_at(file_, size_, record, path_); }

Result<void> append_missing(EventFile& file, const std::vector<SeriesRow>& rows) {
  for (const SeriesRow& row : rows) HANSA_TRY_VOID(file.append(row));
  return {};
}

}  // namespace hansa::server
