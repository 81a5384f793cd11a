#include "learning/internal/archive_records.h"

#include <algorithm>
#include <optional>
#include <utility>

#include <caffe2/serialize/file_adapter.h>
#include <caffe2/serialize/read_adapter_interface.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/read_at.h"

namespace hansa::learning {
namespace {

using caffe2::serialize::PyTorchStreamReader;

// LibTorch reads a compressed record in pieces of at most 64 KiB, and one that is stored in one piece.
constexpr std::size_t mapped_least = std::size_t{1} << 20;
// That of the tensors' memory in LibTorch, which its writer gives the records too.
constexpr std::size_t alignment = 64;

struct Place {
  std::uint64_t position = 0;
  std::size_t bytes = 0;
};

}  // namespace

// Reads an archive from a descriptor, for a process that may open no file.
class ArchiveRecords::OpenFile final : public caffe2::serialize::ReadAdapterInterface {
 public:
  explicit OpenFile(std::shared_ptr<const Descriptor> file) : file_(std::move(file)) {
    const off_t end = ::lseek(file_->get(), 0, SEEK_END);
    size_ = end < 0 ? 0 : static_cast<std::size_t>(end);
  }
  std::size_t size() const override { return size_; }
  int descriptor() const { return file_->get(); }
  std::size_t read(std::uint64_t position, void* to, std::size_t bytes, const char*) const override {
    const bool is_whole = position <= size_ && bytes <= size_ - position;
    if (leaves_out_large_ && bytes >= mapped_least && position % alignment == 0 && is_whole && !left_out_) {
      left_out_ = Place{position, bytes};
      return bytes;
    }
    return read_at(*file_, position, {static_cast<std::byte*>(to), bytes}).value_or(0);
  }
  // The next large read is left out: its place is noted, and the memory for it is not written.
  void leave_out_large() {
    leaves_out_large_ = true;
    left_out_.reset();
  }
  [[nodiscard]] std::optional<Place> take_left_out() {
    leaves_out_large_ = false;
    return std::exchange(left_out_, std::nullopt);
  }

 private:
  std::shared_ptr<const Descriptor> file_;
  std::size_t size_ = 0;
  bool leaves_out_large_ = false;
  mutable std::optional<Place> left_out_;
};

class ArchiveRecords::Mapping : public std::enable_shared_from_this<Mapping> {
 public:
  // Null if the file cannot be mapped.
  static std::shared_ptr<Mapping> of(const OpenFile& file) {
    if (file.size() < mapped_least) return nullptr;
    void* const data = ::mmap(nullptr, file.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE,
                              file.descriptor(), 0);
    return data == MAP_FAILED ? nullptr : std::shared_ptr<Mapping>(new Mapping(data, file.size()));
  }
  Mapping(const Mapping&) = delete;
  Mapping& operator=(const Mapping&) = delete;
  ~Mapping() { ::munmap(data_, size_); }

  // `place` lies within the file.
  [[nodiscard]] at::DataPtr part(const Place& place) {
    auto* const begin = static_cast<std::byte*>(data_) + place.position;
    return {begin, new Part{shared_from_this(), begin, place.bytes},
            [](void* part) { delete static_cast<Part*>(part); }, at::Device(at::kCPU)};
  }

 private:
  struct Part {
    std::shared_ptr<Mapping> mapping;
    std::byte* begin;
    std::size_t bytes;
    Part(std::shared_ptr<Mapping> of, std::byte* at, std::size_t size)
        : mapping(std::move(of)), begin(at), bytes(size) {}
    Part(const Part&) = delete;
    Part& operator=(const Part&) = delete;
    // Gives the pages back that hold nothing else.
    ~Part() {
      static const auto page = static_cast<std::size_t>(::sysconf(_SC_PAGESIZE));
      auto* const start = static_cast<std::byte*>(mapping->data_);
      const std::size_t first = (static_cast<std::size_t>(begin - start) + page - 1) / page * page;
      const std::size_t end = static_cast<std::size_t>(begin - start + bytes) / page * page;
      if (first < end) (void)::madvise(start + first, end - first, MADV_DONTNEED);
    }
  };
  Mapping(void* data, std::size_t size) : data_(data), size_(size) {}

  void* data_;
  std::size_t size_;
};

ArchiveRecords::ArchiveRecords(const ArchiveFile& archive) {
  if (!archive.is_open()) {
    reader_ = std::make_unique<PyTorchStreamReader>(
        std::make_shared<caffe2::serialize::FileAdapter>(archive.location()));
    return;
  }
  file_ = std::make_shared<OpenFile>(archive.file());
  reader_ = std::make_unique<PyTorchStreamReader>(file_);
  mapping_ = Mapping::of(*file_);
}

ArchiveRecords::Record ArchiveRecords::read(const std::string& name) {
  if (!mapping_) {
    auto [data, bytes] = reader_->getRecord(name);
    return {std::move(data), bytes};
  }
  // LibTorch finds the record and checks its size. What it would copy is then taken from the mapping.
  file_->leave_out_large();
  auto [data, bytes] = reader_->getRecord(name);
  const std::optional<Place> left_out = file_->take_left_out();
  if (!left_out) return {std::move(data), bytes};
  if (left_out->bytes == bytes) {
    mapped_bytes_ += bytes;
    return {mapping_->part(*left_out), bytes};
  }
  auto [copy, size] = reader_->getRecord(name);
  return {std::move(copy), size};
}

}  // namespace hansa::learning
