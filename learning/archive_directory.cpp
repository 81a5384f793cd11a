#include "learning/archive_directory.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include <sys/stat.h>

#include "common/read_at.h"

namespace hansa::learning {
namespace {

constexpr std::uint32_t local_signature = 0x04034b50;
constexpr std::uint32_t central_signature = 0x02014b50;
constexpr std::uint32_t end_signature = 0x06054b50;
constexpr std::uint32_t end64_signature = 0x06064b50;
constexpr std::uint32_t locator_signature = 0x07064b50;
constexpr std::uint32_t descriptor_signature = 0x08074b50;
constexpr std::uint64_t local_bytes = 30, central_bytes = 46, end_bytes = 22, locator_bytes = 20,
                        end64_bytes = 56;
constexpr std::uint64_t local_checksum = 14, central_checksum = 16, descriptor_checksum = 4;

constexpr std::uint16_t has_descriptor = 1U << 3;  // the checksum is behind the bytes
constexpr std::uint16_t text_is_utf8 = 1U << 11;
constexpr std::uint16_t level_bits = 3U << 1;  // how deflate was asked to compress
constexpr std::uint16_t flags_known = has_descriptor | text_is_utf8 | level_bits;
constexpr std::uint16_t method_stored = 0, method_deflated = 8;
constexpr std::uint16_t zip64_extra = 1;
constexpr std::uint32_t in_zip64 = 0xffffffff;  // the field's value is in a ZIP64 structure
constexpr std::uint16_t count_in_zip64 = 0xffff;

// Fields of a structure, one after the other. Fields behind the end are zero, and has_failed() is true then.
class Fields {
 public:
  explicit Fields(std::span<const std::byte> bytes) : bytes_(bytes) {}
  template <class T>
  T take() {
    std::uint64_t out = 0;
    const auto bytes = take_bytes(sizeof(T));
    for (std::size_t i = 0; i < bytes.size(); ++i) out |= std::to_integer<std::uint64_t>(bytes[i]) << (8 * i);
    return static_cast<T>(out);
  }
  std::uint16_t u16() { return take<std::uint16_t>(); }
  std::uint32_t u32() { return take<std::uint32_t>(); }
  std::uint64_t u64() { return take<std::uint64_t>(); }
  void skip(std::size_t count) { (void)take_bytes(count); }
  std::span<const std::byte> take_bytes(std::size_t count) {
    if (count > bytes_.size()) {
      failed_ = true;
      bytes_ = {};
      return {};
    }
    const auto out = bytes_.first(count);
    bytes_ = bytes_.subspan(count);
    return out;
  }
  std::string take_text(std::size_t count) {
    const auto bytes = take_bytes(count);
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
  }
  [[nodiscard]] bool has_failed() const { return failed_; }
  [[nodiscard]] std::size_t left() const { return bytes_.size(); }

 private:
  std::span<const std::byte> bytes_;
  bool failed_ = false;
};

// Where the central directory is.
struct Place {
  std::uint64_t begin = 0;
  std::uint64_t bytes = 0;
  std::uint64_t entries = 0;
};

// An entry of the central directory.
struct Entry {
  std::string name;
  std::uint16_t flags = 0, method = 0;
  std::uint32_t checksum = 0;
  std::uint64_t packed = 0, unpacked = 0;
  std::uint64_t header = 0;  // where the local header begins
  std::uint64_t checksum_at = 0;  // in the file
};

// A record, and the bytes of the file that belong to it.
struct Located {
  ArchiveRecord record;
  std::uint64_t from = 0, to = 0;
};

class Reader {
 public:
  Reader(const Descriptor& file, std::string location) : file_(file), location_(std::move(location)) {}

  Result<std::vector<ArchiveRecord>> run() {
    struct stat status {};
    if (::fstat(file_.get(), &status) != 0) return fail_with_errno(location_, "cannot be read");
    size_ = static_cast<std::uint64_t>(status.st_size);
    HANSA_TRY(const Place directory, find_directory());
    HANSA_TRY(const std::vector<Entry> entries, entries_of(directory));
    std::vector<Located> located;
    located.reserve(entries.size());
    for (const Entry& entry : entries) {
      HANSA_TRY(Located record, locate(entry, directory));
      located.push_back(std::move(record));
    }
    return disjoint(std::move(located));
  }
  [[nodiscard]] std::uint64_t size() const { return size_; }

 private:
  tl::unexpected<Error> refuse(std::string what) const {
    return fail(ErrorCode::model, location_, std::move(what),
                "save the model again with torch.jit.script(model).save(...)");
  }
  tl::unexpected<Error> refuse_end() const { return refuse("is no archive, or is cut off"); }

  Result<std::vector<std::byte>> bytes_at(std::uint64_t position, std::uint64_t count) const {
    std::vector<std::byte> out(count);
    const auto read = read_at(file_, position, out);
    if (!read) return fail_with_errno(location_, "cannot be read");
    if (*read != count) return refuse_end();
    return out;
  }

  Result<Place> find_directory() const {
    if (size_ < end_bytes) return refuse_end();
    HANSA_TRY(const auto bytes, bytes_at(size_ - end_bytes, end_bytes));
    Fields end(bytes);
    // A comment would move the end away from here.
    if (end.u32() != end_signature) return refuse_end();
    const bool one_disk = end.u16() == 0 && end.u16() == 0;
    const std::uint16_t here = end.u16(), entries = end.u16();
    const std::uint32_t length = end.u32(), begin = end.u32();
    if (!one_disk || here != entries || end.u16() != 0) return refuse_end();
    Place out{begin, length, entries};
    std::uint64_t stop = size_ - end_bytes;
    HANSA_TRY(const auto large, find_large_directory());
    if (large) {
      const bool agree = (entries == count_in_zip64 || entries == large->entries) &&
                         (length == in_zip64 || length == large->bytes) &&
                         (begin == in_zip64 || begin == large->begin);
      if (!agree) return refuse("has two directories");
      out = *large;
      stop -= locator_bytes + end64_bytes;
    }
    if (out.bytes > stop || out.begin != stop - out.bytes) return refuse_end();
    if (out.bytes > ArchiveDirectory::directory_bytes_max) return refuse("has too many records");
    return out;
  }

  // That of ZIP64, whose end lies directly before the other one's.
  Result<std::optional<Place>> find_large_directory() const {
    constexpr std::uint64_t needed = end_bytes + locator_bytes + end64_bytes;
    if (size_ < needed) return std::nullopt;
    HANSA_TRY(const auto bytes, bytes_at(size_ - needed, end64_bytes + locator_bytes));
    Fields locator{std::span(bytes).subspan(end64_bytes)};
    if (locator.u32() != locator_signature) return std::nullopt;
    const bool is_here = locator.u32() == 0 && locator.u64() == size_ - needed && locator.u32() == 1;
    Fields end(bytes);
    if (!is_here || end.u32() != end64_signature || end.u64() != end64_bytes - 12) return refuse_end();
    end.skip(4);  // versions
    const bool one_disk = end.u32() == 0 && end.u32() == 0;
    Place out;
    const std::uint64_t here = end.u64();
    out.entries = end.u64();
    out.bytes = end.u64();
    out.begin = end.u64();
    if (!one_disk || here != out.entries) return refuse_end();
    return out;
  }

  Result<std::vector<Entry>> entries_of(const Place& directory) const {
    if (directory.entries == 0 || directory.entries > directory.bytes / central_bytes)
      return refuse("has no records");
    HANSA_TRY(const auto bytes, bytes_at(directory.begin, directory.bytes));
    Fields fields(bytes);
    std::vector<Entry> out;
    out.reserve(directory.entries);
    while (out.size() < directory.entries) {
      const std::uint64_t at = directory.begin + directory.bytes - fields.left();
      HANSA_TRY(Entry entry, take_entry(fields));
      entry.checksum_at = at + central_checksum;
      out.push_back(std::move(entry));
    }
    if (fields.left() != 0) return refuse("has more records than it says");
    return out;
  }

  Result<Entry> take_entry(Fields& fields) const {
    if (fields.u32() != central_signature) return refuse("has a damaged directory");
    fields.skip(4);  // versions
    Entry out;
    out.flags = fields.u16();
    out.method = fields.u16();
    fields.skip(4);  // time
    out.checksum = fields.u32();
    const std::uint32_t packed = fields.u32(), unpacked = fields.u32();
    const std::uint16_t name = fields.u16(), extra = fields.u16(), comment = fields.u16(),
                        disk = fields.u16();
    fields.skip(6);  // attributes
    const std::uint32_t header = fields.u32();
    out.name = fields.take_text(name);
    Fields extras(fields.take_bytes(extra));
    fields.skip(comment);
    out.packed = packed;
    out.unpacked = unpacked;
    out.header = header;
    while (extras.left() != 0) {
      const std::uint16_t kind = extras.u16(), length = extras.u16();
      Fields large(extras.take_bytes(length));
      if (kind != zip64_extra) continue;
      if (unpacked == in_zip64) out.unpacked = large.u64();
      if (packed == in_zip64) out.packed = large.u64();
      if (header == in_zip64) out.header = large.u64();
      if (large.has_failed()) return refuse("has a damaged directory");
    }
    if (fields.has_failed() || extras.has_failed() || disk != 0 || out.name.empty())
      return refuse("has a damaged directory");
    if ((out.flags & ~flags_known) != 0 || (out.method != method_stored && out.method != method_deflated))
      return refuse("has records that are encrypted, or compressed in an unknown way");
    if (out.method == method_stored && out.packed != out.unpacked)
      return refuse("has a record with two sizes");
    return out;
  }

  Result<Located> locate(const Entry& entry, const Place& directory) const {
    const auto damaged = [&] { return refuse("has a record whose two headers differ"); };
    const std::uint64_t least = local_bytes + entry.name.size();
    if (entry.header > directory.begin || directory.begin - entry.header < least) return damaged();
    HANSA_TRY(const auto bytes, bytes_at(entry.header, least));
    Fields local(bytes);
    const bool is_local = local.u32() == local_signature;
    local.skip(2);  // version
    const std::uint16_t flags = local.u16(), method = local.u16();
    local.skip(4);  // time
    const std::uint32_t checksum = local.u32(), packed = local.u32(), unpacked = local.u32();
    const std::uint16_t name = local.u16(), extra = local.u16();
    if (!is_local || flags != entry.flags || method != entry.method || name != entry.name.size() ||
        local.take_text(name) != entry.name)
      return damaged();
    const bool is_behind = (flags & has_descriptor) != 0;
    const auto agrees = [&](std::uint32_t field, std::uint64_t value) {
      return field == value || field == in_zip64 || (is_behind && field == 0);
    };
    if (!agrees(packed, entry.packed) || !agrees(unpacked, entry.unpacked)) return damaged();
    if (checksum != entry.checksum && !(is_behind && checksum == 0)) return damaged();

    Located out;
    out.record.name = entry.name;
    out.record.begin = entry.header + least + extra;
    out.record.bytes = entry.packed;
    out.record.is_compressed = entry.method != method_stored;
    if (out.record.begin > directory.begin || entry.packed > directory.begin - out.record.begin)
      return damaged();
    out.from = entry.header;
    out.to = out.record.begin + entry.packed;
    out.record.checksums_at.push_back(entry.checksum_at);
    if (!is_behind || checksum != 0) out.record.checksums_at.push_back(entry.header + local_checksum);
    if (is_behind) {
      out.record.checksums_at.push_back(out.to + descriptor_checksum);
      HANSA_TRY(const std::uint64_t length, descriptor_length(entry, out.to));
      out.to += length;
      if (length == 0 || out.to > directory.begin) return damaged();
    }
    return out;
  }

  // 0 if there is none at this position.
  Result<std::uint64_t> descriptor_length(const Entry& entry, std::uint64_t position) const {
    constexpr std::uint64_t small = 16, large = 24;
    // The directory and its end follow, which are longer.
    HANSA_TRY(const auto bytes, bytes_at(position, large));
    Fields start(bytes);
    if (start.u32() != descriptor_signature || start.u32() != entry.checksum) return 0U;
    Fields of_small{std::span(bytes).subspan(8)};
    Fields of_large = of_small;
    if (of_small.u32() == entry.packed && of_small.u32() == entry.unpacked) return small;
    if (of_large.u64() == entry.packed && of_large.u64() == entry.unpacked) return large;
    return 0U;
  }

  // Removes the archive's folder, which is that of the first record, from the names.
  Result<std::vector<ArchiveRecord>> disjoint(std::vector<Located> located) const {
    const std::string folder = located.front().record.name.substr(0, located.front().record.name.find('/'));
    std::ranges::sort(located, {}, &Located::from);
    std::vector<ArchiveRecord> out;
    out.reserve(located.size());
    std::uint64_t before = 0;
    for (Located& next : located) {
      if (next.from < before) return refuse("has records that share bytes");
      before = next.to;
      ArchiveRecord& record = next.record;
      if (record.name.size() <= folder.size() + 1 || !record.name.starts_with(folder) ||
          record.name[folder.size()] != '/')
        return refuse("has records in several folders");
      record.name.erase(0, folder.size() + 1);
      out.push_back(std::move(record));
    }
    return out;
  }

  const Descriptor& file_;
  std::string location_;
  std::uint64_t size_ = 0;
};

}  // namespace

Result<ArchiveDirectory> ArchiveDirectory::read(const Descriptor& file, const std::string& location) {
  Reader reader(file, location);
  ArchiveDirectory out;
  HANSA_TRY(out.records_, reader.run());
  out.file_bytes_ = reader.size();
  out.by_name_.resize(out.records_.size());
  std::iota(out.by_name_.begin(), out.by_name_.end(), std::size_t{0});
  const auto name_of = [&](std::size_t i) -> const std::string& { return out.records_[i].name; };
  std::ranges::sort(out.by_name_, {}, name_of);
  if (std::ranges::adjacent_find(out.by_name_, {}, name_of) != out.by_name_.end())
    return fail(ErrorCode::model, location, "has two records of one name",
                "save the model again with torch.jit.script(model).save(...)");
  return out;
}

const ArchiveRecord* ArchiveDirectory::find(std::string_view name) const {
  const auto name_of = [&](std::size_t i) -> std::string_view { return records_[i].name; };
  const auto found = std::ranges::lower_bound(by_name_, name, {}, name_of);
  return found == by_name_.end() || name_of(*found) != name ? nullptr : &records_[*found];
}

}  // namespace hansa::learning
