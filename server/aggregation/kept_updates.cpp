#include "server/aggregation/kept_updates.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <cerrno>
#include <utility>

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/files.h"
#include "common/page_memory.h"
#include "server/aggregation/internal/nameless_file.h"

namespace hansa::server {
namespace {

constexpr const char* hint = "free space there, or raise limits.kept_updates_memory_mib";

// Fills the file with zeros. Without reserved blocks, a full disk would end the process at the first write to the mapping.
bool fill(int file, std::uint64_t bytes) {
  static constexpr std::array<std::byte, std::size_t{64} << 10> zeros{};
  for (std::uint64_t done = 0; done < bytes;) {
    const auto part = static_cast<std::size_t>(std::min<std::uint64_t>(zeros.size(), bytes - done));
    const ssize_t n = ::pwrite(file, zeros.data(), part, static_cast<off_t>(done));
    if (n < 0 && errno == EINTR) continue;
    if (n == 0) errno = ENOSPC;
    if (n <= 0) return false;
    done += static_cast<std::uint64_t>(n);
  }
  return true;
}

bool reserve(int file, std::uint64_t bytes) {
  while (::fallocate(file, 0, 0, static_cast<off_t>(bytes)) != 0) {
    if (errno == EINTR) continue;
    return (errno == EOPNOTSUPP || errno == ENOSYS) && fill(file, bytes);
  }
  return true;
}

}  // namespace

class KeptUpdates::Row {
 public:
  // In memory if in_memory; the values are null then if there is none.
  static Result<std::unique_ptr<Row>> create(std::size_t elements, bool in_memory,
                                             const std::filesystem::path& folder) {
    auto out = std::make_unique<Row>();
    out->bytes_ = std::max<std::size_t>(elements, 1) * sizeof(float);
    out->elements_ = elements;
    if (in_memory) {
      out->memory_ = PageBuffer(out->bytes_);
      if (out->memory_.data() != nullptr) return out;
    }
    HANSA_TRY_VOID(make_folders(folder));
    HANSA_TRY(const Descriptor file, internal::open_nameless(folder, hint));
    const auto refused = [&] {
      return internal::fail_with(
          errno, folder, "has no room for an update of " + std::to_string(out->bytes_) + " bytes", hint);
    };
    if (!reserve(file.get(), out->bytes_)) return refused();
    void* const mapped = ::mmap(nullptr, out->bytes_, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
    if (mapped == MAP_FAILED) return refused();
    out->mapped_ = static_cast<float*>(mapped);  // keeps the file
    return out;
  }
  Row() = default;
  ~Row() {
    if (mapped_ != nullptr) ::munmap(mapped_, bytes_);
  }
  Row(const Row&) = delete;
  Row& operator=(const Row&) = delete;

  [[nodiscard]] std::span<float> values() {
    return {mapped_ != nullptr ? mapped_ : reinterpret_cast<float*>(memory_.data()), elements_};
  }
  [[nodiscard]] std::uint64_t memory_bytes() const { return memory_.size(); }

 private:
  std::size_t bytes_ = 0, elements_ = 0;
  PageBuffer memory_;
  float* mapped_ = nullptr;
};

KeptUpdates::KeptUpdates(std::size_t elements, std::filesystem::path folder, std::uint64_t memory_bytes_max)
    : elements_(elements), folder_(std::move(folder)), memory_bytes_max_(memory_bytes_max) {}
KeptUpdates::~KeptUpdates() = default;

std::uint64_t KeptUpdates::memory_bytes() const {
  std::uint64_t out = 0;
  for (const auto& row : rows_) out += row->memory_bytes();
  return out;
}

Result<std::span<float>> KeptUpdates::room() {
  if (updates_.size() == rows_.size()) {
    const bool fits = memory_bytes() + elements_ * sizeof(float) <= memory_bytes_max_;
    HANSA_TRY(auto row, Row::create(elements_, fits, folder_));
    rows_.push_back(std::move(row));
  }
  return rows_[updates_.size()]->values();
}

void KeptUpdates::add(std::string client, std::uint64_t weight) {
  assert(updates_.size() < rows_.size());
  updates_.push_back({std::move(client), weight, rows_[updates_.size()]->values()});
}

void KeptUpdates::clear() { updates_.clear(); }

std::vector<KeptUpdates::Update> KeptUpdates::sorted() const {
  std::vector<Update> out = updates_;
  std::ranges::sort(out, {}, &Update::client);
  return out;
}

}  // namespace hansa::server
