#include "learning/archive_copy.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include <fcntl.h>
#include <zlib.h>

#include "common/open_file.h"
#include "common/read_at.h"
#include "common/replace_file.h"
#include "learning/archive_directory.h"
#include "learning/variance.h"

namespace hansa::learning {
namespace {

static_assert(std::endian::native == std::endian::little, "records hold little-endian values");

constexpr std::size_t window_bytes = std::size_t{256} << 10;  // a multiple of the size of a value

// The values of one tensor, and where they go in a record.
struct Scatter {
  const ParameterEntry* entry = nullptr;
  const ValuePlace* place = nullptr;
  const float* values = nullptr;  // entry->count of them, row-major

  [[nodiscard]] float value(std::uint64_t i) const {
    return is_variance(*entry) ? std::max(values[i], 0.0F) : values[i];
  }
  [[nodiscard]] bool is_contiguous() const {
    std::uint64_t stride = 1;
    for (std::size_t d = entry->shape.size(); d > 0; --d) {
      const auto size = static_cast<std::uint64_t>(entry->shape[d - 1]);
      if (size != 1 && place->strides[d - 1] != stride) return false;
      stride *= size;
    }
    return true;
  }
  // Whether all values lie in a record of `size` values.
  [[nodiscard]] bool fits(std::uint64_t size) const {
    if (place->offset >= size) return false;
    std::uint64_t left = size - 1 - place->offset;  // behind the first value
    for (std::size_t d = 0; d < entry->shape.size(); ++d) {
      const auto steps = static_cast<std::uint64_t>(entry->shape[d]) - 1;
      const std::uint64_t stride = place->strides[d];
      if (steps > 0 && stride > left / steps) return false;
      left -= steps * stride;
    }
    return true;
  }
};

bool holds_tensor(std::string_view record) {
  constexpr std::string_view folder = "data/";
  const std::string_view number = record.substr(std::min(record.size(), folder.size()));
  return record.starts_with(folder) && !number.empty() &&
         number.find_first_not_of("0123456789") == std::string_view::npos;
}

void put(std::span<std::byte> out, std::uint64_t index, float value) {
  std::memcpy(out.data() + index * sizeof value, &value, sizeof value);
}

// Writes those values of a contiguous tensor that lie in `window`, which begins at the value `first` of the record.
void put_contiguous(const Scatter& scatter, std::uint64_t first, std::span<std::byte> window) {
  const std::uint64_t begin = std::max(first, scatter.place->offset);
  const std::uint64_t end =
      std::min(first + window.size() / sizeof(float), scatter.place->offset + scatter.entry->count);
  if (begin >= end) return;
  if (!is_variance(*scatter.entry)) {
    std::memcpy(window.data() + (begin - first) * sizeof(float),
                scatter.values + (begin - scatter.place->offset), (end - begin) * sizeof(float));
    return;
  }
  for (std::uint64_t i = begin; i < end; ++i)
    put(window, i - first, scatter.value(i - scatter.place->offset));
}

void put_all(const Scatter& scatter, std::span<std::byte> record) {
  const auto& shape = scatter.entry->shape;
  const auto& strides = scatter.place->strides;
  std::vector<std::int64_t> index(shape.size());
  std::uint64_t at = scatter.place->offset;
  for (std::uint64_t i = 0; i < scatter.entry->count; ++i) {
    put(record, at, scatter.value(i));
    for (std::size_t d = shape.size(); d > 0; --d) {
      at += strides[d - 1];
      if (++index[d - 1] < shape[d - 1]) break;
      at -= static_cast<std::uint64_t>(shape[d - 1]) * strides[d - 1];
      index[d - 1] = 0;
    }
  }
}

// Four bytes of the copy that are not those of the archive.
struct Patch {
  std::uint64_t position = 0;
  std::array<std::byte, 4> bytes{};
};

class Copy {
 public:
  Copy(const Descriptor& file, std::string location, const std::stop_token& stop)
      : file_(file), location_(std::move(location)), stop_(stop), window_(window_bytes) {}

  Result<void> place(std::span<const PlacedValues> parts) {
    HANSA_TRY(directory_, ArchiveDirectory::read(file_, location_));
    for (const PlacedValues& part : parts) {
      const auto entries = part.where->layout.entries();
      for (std::size_t i = 0; i < entries.size(); ++i) {
        if (entries[i].count == 0) continue;
        const Scatter scatter{&entries[i], &part.where->places[i], part.values.data() + entries[i].offset};
        HANSA_TRY(const ArchiveRecord* record, record_for(scatter));
        scatters_[record].push_back(scatter);
      }
    }
    return {};
  }

  Result<WrittenFile> write(const Descriptor& out, const std::filesystem::path& path) {
    HANSA_TRY_VOID(compute_checksums());
    Sha256 digest;
    const auto emit = [&](std::span<const std::byte> bytes) -> Result<void> {
      digest.update(bytes);
      return write_whole(out, bytes, path);
    };
    std::uint64_t at = 0;
    for (const ArchiveRecord& record : directory_.records()) {
      const auto found = scatters_.find(&record);
      if (found == scatters_.end()) continue;
      HANSA_TRY_VOID(copy_patched(at, record.begin, emit));
      HANSA_TRY_VOID(produce(record, found->second, emit));
      at = record.begin + record.bytes;
    }
    HANSA_TRY_VOID(copy_patched(at, directory_.file_bytes(), emit));
    return WrittenFile{directory_.file_bytes(), digest.finish()};
  }

 private:
  tl::unexpected<Error> refuse(const Scatter& scatter, std::string what) const {
    return fail(ErrorCode::model, location_, scatter.entry->name + " " + std::move(what),
                "save the model again with torch.jit.script(model).save(...)");
  }

  Result<const ArchiveRecord*> record_for(const Scatter& scatter) const {
    const ArchiveRecord* record =
        holds_tensor(scatter.place->record) ? directory_.find(scatter.place->record) : nullptr;
    if (record == nullptr) return refuse(scatter, "is not in a record of the archive that holds a tensor");
    if (record->is_compressed) return refuse(scatter, "is compressed in the archive");
    if (!scatter.fits(record->bytes / sizeof(float)))
      return refuse(scatter, "lies beyond its record in the archive");
    return record;
  }

  Result<void> read(std::uint64_t position, std::span<std::byte> out) const {
    if (stop_.stop_requested())
      return fail(ErrorCode::resource, location_, "stopped", "", {ReasonCode::stopped, {}});
    const auto read = read_at(file_, position, out);
    if (!read) return fail_with_errno(location_, "cannot be read");
    if (*read != out.size())
      return fail(ErrorCode::storage, location_, "became shorter while it was read", "");
    return {};
  }

  // Calls use(bytes) for one part of the record's new content after the other.
  template <class Use>
  Result<void> produce(const ArchiveRecord& record, const std::vector<Scatter>& scatters, const Use& use) {
    if (std::ranges::all_of(scatters, &Scatter::is_contiguous)) {
      for (std::uint64_t at = 0; at < record.bytes;) {
        const auto part = std::span(window_).first(std::min<std::uint64_t>(window_bytes, record.bytes - at));
        HANSA_TRY_VOID(read(record.begin + at, part));
        for (const Scatter& scatter : scatters) put_contiguous(scatter, at / sizeof(float), part);
        HANSA_TRY_VOID(use(part));
        at += part.size();
      }
      return {};
    }
    std::vector<std::byte> whole(record.bytes);
    HANSA_TRY_VOID(read(record.begin, whole));
    for (const Scatter& scatter : scatters) put_all(scatter, whole);
    return use(whole);
  }

  Result<void> compute_checksums() {
    for (const ArchiveRecord& record : directory_.records()) {
      const auto found = scatters_.find(&record);
      if (found == scatters_.end()) continue;
      uLong checksum = ::crc32_z(0, nullptr, 0);
      HANSA_TRY_VOID(produce(record, found->second, [&](std::span<const std::byte> bytes) -> Result<void> {
        checksum = ::crc32_z(checksum, reinterpret_cast<const Bytef*>(bytes.data()), bytes.size());
        return {};
      }));
      Patch patch;
      for (std::size_t i = 0; i < patch.bytes.size(); ++i)
        patch.bytes[i] = static_cast<std::byte>(checksum >> (8 * i));
      for (const std::uint64_t position : record.checksums_at) {
        patch.position = position;
        patches_.push_back(patch);
      }
    }
    std::ranges::sort(patches_, {}, &Patch::position);
    return {};
  }

  // Copies the bytes of the archive, with the new checksums.
  template <class Use>
  Result<void> copy_patched(std::uint64_t at, std::uint64_t end, const Use& use) {
    while (at < end) {
      const auto part = std::span(window_).first(std::min<std::uint64_t>(window_bytes, end - at));
      HANSA_TRY_VOID(read(at, part));
      const std::uint64_t part_end = at + part.size();
      for (auto patch = first_patch_after(at); patch != patches_.end() && patch->position < part_end; ++patch)
        for (std::size_t i = 0; i < patch->bytes.size(); ++i)
          if (const std::uint64_t position = patch->position + i; position >= at && position < part_end)
            part[position - at] = patch->bytes[i];
      HANSA_TRY_VOID(use(part));
      at = part_end;
    }
    return {};
  }

  // The first that has a byte at `position` or behind it.
  [[nodiscard]] std::vector<Patch>::const_iterator first_patch_after(std::uint64_t position) const {
    return std::ranges::upper_bound(patches_, position, {},
                                    [](const Patch& patch) { return patch.position + patch.bytes.size(); });
  }

  const Descriptor& file_;
  std::string location_;
  const std::stop_token& stop_;
  std::vector<std::byte> window_;
  ArchiveDirectory directory_;
  std::map<const ArchiveRecord*, std::vector<Scatter>> scatters_;  // of the records that change
  std::vector<Patch> patches_;  // sorted
};

}  // namespace

Result<WrittenFile> write_archive_with_values(const ArchiveFile& archive, std::span<const PlacedValues> parts,
                                              const std::filesystem::path& out, const std::stop_token& stop) {
  std::shared_ptr<const Descriptor> file = archive.file();
  if (!file) file = std::make_shared<Descriptor>(open_file(archive.path(), O_RDONLY | O_CLOEXEC));
  if (!*file) return fail_with_errno(archive.path(), "cannot be opened");
  Copy copy(*file, archive.location(), stop);
  HANSA_TRY_VOID(copy.place(parts));
  WrittenFile written;
  HANSA_TRY_VOID(replace_file(out, FileAccess::everyone_reads,
                              [&](const Descriptor& to, const std::filesystem::path& path) -> Result<void> {
                                HANSA_TRY(written, copy.write(to, path));
                                return {};
                              }));
  return written;
}

}  // namespace hansa::learning
