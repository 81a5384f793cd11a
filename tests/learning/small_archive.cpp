#include "tests/learning/small_archive.h"

#include <cstring>

#include <zlib.h>

namespace hansa::learning::testing {
namespace {

constexpr std::size_t alignment = 64;

template <class T>
void put(std::string& out, T value) {
  for (std::size_t i = 0; i < sizeof value; ++i) out += static_cast<char>(value >> (8 * i));
}

std::uint32_t checksum_of(const std::string& content) {
  return static_cast<std::uint32_t>(
      ::crc32(0, reinterpret_cast<const Bytef*>(content.data()), static_cast<uInt>(content.size())));
}

std::string values(std::initializer_list<float> of) {
  std::string out(of.size() * sizeof(float), '\0');
  std::memcpy(out.data(), of.begin(), out.size());
  return out;
}

}  // namespace

std::string bytes_of(const SmallArchive& archive) {
  std::string out, directory;
  for (const SmallRecord& record : archive.records) {
    const std::string name = "archive/" + record.name;
    const bool is_behind = archive.checksums == ChecksumPlace::behind;
    const auto checksum = checksum_of(record.content);
    const auto size = static_cast<std::uint32_t>(record.content.size());
    const std::size_t start = out.size();
    const std::size_t padding = (alignment - (start + 34 + name.size()) % alignment) % alignment;
    const std::uint16_t flags = is_behind ? 0x0808 : 0x0800;
    put<std::uint32_t>(out, 0x04034b50);
    put<std::uint16_t>(out, 0);
    put(out, flags);
    put<std::uint16_t>(out, 0);
    put<std::uint32_t>(out, 0);
    put<std::uint32_t>(out, is_behind ? 0 : checksum);
    put<std::uint32_t>(out, is_behind ? 0 : size);
    put<std::uint32_t>(out, is_behind ? 0 : size);
    put(out, static_cast<std::uint16_t>(name.size()));
    put(out, static_cast<std::uint16_t>(4 + padding));
    out += name + "FB";
    put(out, static_cast<std::uint16_t>(padding));
    out += std::string(padding, 'Z') + record.content;
    if (is_behind) {
      put<std::uint32_t>(out, 0x08074b50);
      put(out, checksum);
      put(out, size);
      put(out, size);
    }
    put<std::uint32_t>(directory, 0x02014b50);
    put<std::uint32_t>(directory, 0);
    put(directory, flags);
    put<std::uint16_t>(directory, 0);
    put<std::uint32_t>(directory, 0);
    put(directory, checksum);
    put(directory, size);
    put(directory, size);
    put(directory, static_cast<std::uint16_t>(name.size()));
    put<std::uint64_t>(directory, 0);  // extra, comment, disk, attributes
    put<std::uint32_t>(directory, 0);
    put(directory, static_cast<std::uint32_t>(start));
    directory += name;
  }
  const std::uint64_t count = archive.records.size(), begin = out.size(), length = directory.size();
  out += directory;
  if (archive.end == DirectoryEnd::with_zip64) {
    const std::uint64_t end64 = out.size();
    put<std::uint32_t>(out, 0x06064b50);
    put<std::uint64_t>(out, 44);
    put<std::uint32_t>(out, 0x002d031e);
    put<std::uint64_t>(out, 0);
    for (const std::uint64_t field : {count, count, length, begin}) put(out, field);
    put<std::uint32_t>(out, 0x07064b50);
    put<std::uint32_t>(out, 0);
    put(out, end64);
    put<std::uint32_t>(out, 1);
  }
  put<std::uint32_t>(out, 0x06054b50);
  put<std::uint32_t>(out, 0);
  put(out, static_cast<std::uint16_t>(count));
  put(out, static_cast<std::uint16_t>(count));
  put(out, static_cast<std::uint32_t>(length));
  put(out, static_cast<std::uint32_t>(begin));
  put<std::uint16_t>(out, 0);
  return out;
}

SmallArchive two_tensors() {
  return {{{"data/0", values({1, 2, 3})},
           {"data/1", values({4})},
           {"data.pkl", "names of the tensors"},
           {"code/__torch__/m.py", "def forward(self, x): return x"},
           {"constants/0", values({5, 6, 7})},
           {"constants.pkl", "constants"},
           {"version", "3\n"}}};
}

}  // namespace hansa::learning::testing
