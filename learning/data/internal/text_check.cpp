#include "learning/data/internal/text_check.h"

#include <algorithm>
#include <array>
#include <string_view>

namespace hansa::learning::internal {
namespace {

using namespace std::string_view_literals;

struct Known {
  std::string_view start;
  const char* what;
  const char* hint;
};
constexpr const char* unpack = "unpack it first; only gzip files need no unpacking";
constexpr const char* export_it = "export it as CSV in UTF-8";
constexpr std::array<Known, 14> known{{
    {"PK\x03\x04"sv, "a zip archive, or a workbook", "unpack it, or export it as CSV in UTF-8"},
    {"\xFD"
     "7zXZ"sv,
     "an xz archive", unpack},
    {"\x28\xB5\x2F\xFD"sv, "a zstd archive", unpack},
    {"BZh91AY&SY"sv, "a bzip2 archive", unpack},
    {"7z\xBC\xAF"sv, "a 7z archive", unpack},
    {"PAR1\x15"sv, "a Parquet file", export_it},
    {"ARROW1"sv, "an Arrow file", export_it},
    {"SQLite format 3\0"sv, "an SQLite database", export_it},
    {"\x89HDF"sv, "an HDF5 file", export_it},
    {"%PDF"sv, "a PDF document", export_it},
    {"\xD0\xCF\x11\xE0"sv, "an old workbook", export_it},
    {"version https://git-lfs.github.com/spec/"sv, "a pointer of Git LFS, not the file itself",
     "run: git lfs pull"},
    {"\xFF\xFE"sv, "text in UTF-16", "save it in UTF-8, for example: iconv -f UTF-16 -t UTF-8 FILE > NEW"},
    {"\xFE\xFF"sv, "text in UTF-16", "save it in UTF-8, for example: iconv -f UTF-16 -t UTF-8 FILE > NEW"},
}};

bool is_web_page(std::string_view text) {
  std::string start(text.substr(0, 64));
  std::ranges::transform(start, start.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  const std::size_t first = start.find_first_not_of(" \t\r\n");
  if (first == std::string::npos) return false;
  return start.compare(first, 9, "<!doctype") == 0 || start.compare(first, 5, "<html") == 0;
}

// Every second byte of western text in UTF-16 is 0.
bool is_wide(std::string_view text) {
  const std::size_t pairs = text.size() / 2;
  if (pairs < 4) return false;
  std::array<std::size_t, 2> zeros{};
  for (std::size_t i = 0; i < 2 * pairs; ++i) zeros[i % 2] += text[i] == '\0' ? 1 : 0;
  return std::max(zeros[0], zeros[1]) * 10 > pairs * 8 && std::min(zeros[0], zeros[1]) == 0;
}

}  // namespace

std::optional<OtherThanText> find_other_than_text(std::span<const std::uint8_t> start) {
  const std::string_view text(reinterpret_cast<const char*>(start.data()),
                              std::min(start.size(), text_check_bytes));
  for (const Known& format : known)
    if (text.starts_with(format.start)) return OtherThanText{format.what, format.hint};
  if (is_web_page(text))
    return OtherThanText{"a web page, probably an error of a server", "fetch the file again"};
  if (is_wide(text))
    return OtherThanText{"text in UTF-16",
                         "save it in UTF-8, for example: iconv -f UTF-16LE -t UTF-8 FILE > NEW"};
  return std::nullopt;
}

}  // namespace hansa::learning::internal
