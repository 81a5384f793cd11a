#include "image_list.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string_view>

#include "decoded.h"

namespace hansa_dicom {
namespace {

namespace fs = std::filesystem;

constexpr std::uintmax_t csv_bytes_max = std::uintmax_t{256} << 20;

std::optional<std::uint32_t> label_of(const std::string& name, const Options& options) {
  const auto found = std::ranges::find(options.classes, name);
  if (found == options.classes.end()) return std::nullopt;
  return static_cast<std::uint32_t>(found - options.classes.begin());
}

void add(std::vector<Image>& out, Image image) {
  if (out.size() == examples_max) throw Failure("more than " + std::to_string(examples_max) + " images");
  out.push_back(std::move(image));
}

// DICOM files often have no extension, so all files are images but hidden ones and the index of a medium.
bool is_passed_over(const fs::path& path) {
  const std::string name = path.filename().string();
  return name.starts_with('.') || name == "DICOMDIR";
}

std::vector<Image> list_folders(const fs::path& root, const Options& options) {
  std::vector<Image> out;
  for (const auto& folder : fs::directory_iterator(root)) {
    if (is_passed_over(folder.path())) continue;
    const std::string name = folder.path().filename().string();
    const auto label = label_of(name, options);
    if (!folder.is_directory())
      throw Failure(folder.path().string() +
                    ": is not in the folder of a class; move it, or set data.file to a CSV file");
    if (!label)
      throw Failure(folder.path().string() +
                    ": is a folder of no class; add it to classes in data.options on all clients");
    for (const auto& entry : fs::recursive_directory_iterator(folder.path()))
      if (!is_passed_over(entry.path()) && !entry.is_directory()) add(out, {entry.path().string(), *label});
  }
  std::ranges::sort(out, {}, &Image::path);
  return out;
}

// The records of a CSV file, RFC 4180.
class CsvReader {
 public:
  CsvReader(std::string path, std::string text) : path_(std::move(path)), text_(std::move(text)) {
    if (text_.starts_with("\xEF\xBB\xBF")) at_ = 3;
  }

  // Where the last record began, for errors.
  [[nodiscard]] std::string location() const { return path_ + ":" + std::to_string(record_line_); }

  // False at the end. Empty lines are passed over.
  bool next(std::vector<std::string>& fields) {
    while (at_ < text_.size() && (text_[at_] == '\n' || text_[at_] == '\r')) line_ += text_[at_++] == '\n';
    if (at_ >= text_.size()) return false;
    record_line_ = line_;
    fields.assign(1, {});
    for (;;) {
      read_field(fields.back());
      const char end = at_ < text_.size() ? text_[at_++] : '\n';
      if (end == ',') {
        fields.emplace_back();
        continue;
      }
      if (end == '\r' && at_ < text_.size() && text_[at_] == '\n') ++at_;
      ++line_;
      return true;
    }
  }

 private:
  void read_field(std::string& out) {
    if (at_ < text_.size() && text_[at_] == '"') {
      for (++at_;; ++at_) {
        if (at_ >= text_.size()) throw Failure(location() + ": a quote is not closed");
        if (text_[at_] == '"' && (++at_ >= text_.size() || text_[at_] != '"')) break;
        line_ += text_[at_] == '\n';
        out += text_[at_];
      }
      if (at_ < text_.size() && std::string_view(",\r\n").find(text_[at_]) == std::string_view::npos)
        throw Failure(location() + ": there is text behind a closing quote");
      return;
    }
    const std::size_t end = std::min(text_.find_first_of(",\r\n", at_), text_.size());
    out = trimmed(std::string_view(text_).substr(at_, end - at_));
    at_ = end;
  }

  std::string path_;
  std::string text_;
  std::size_t at_ = 0;
  std::size_t line_ = 1;
  std::size_t record_line_ = 1;
};

std::size_t position_of(const std::string& column, const std::vector<std::string>& header,
                        const std::string& csv) {
  const auto found = std::ranges::find(header, column);
  if (found == header.end())
    throw Failure(csv + ": has no column \"" + column + "\"; set data.label, or column in data.options");
  return static_cast<std::size_t>(found - header.begin());
}

std::vector<Image> list_csv(const fs::path& csv, const std::string& label_column, const Options& options) {
  if (fs::file_size(csv) > csv_bytes_max) throw Failure(csv.string() + ": is larger than 256 MiB");
  std::ifstream file(csv, std::ios::binary);
  if (!file) throw Failure(csv.string() + ": cannot be opened");
  std::string text((std::istreambuf_iterator<char>(file)), std::istreambuf_iterator<char>());
  CsvReader reader(csv.string(), std::move(text));

  std::vector<std::string> fields;
  if (!reader.next(fields)) throw Failure(csv.string() + ": is empty");
  const std::size_t columns = fields.size();
  const std::size_t path_at = position_of(options.column, fields, csv.string());
  const std::size_t label_at = position_of(label_column, fields, csv.string());
  std::vector<Image> out;
  while (reader.next(fields)) {
    if (fields.size() != columns)
      throw Failure(reader.location() + ": has " + std::to_string(fields.size()) +
                    " fields, the header has " + std::to_string(columns));
    const auto label = label_of(fields[label_at], options);
    // Not quoted: with a wrong data.label it could be a name.
    if (!label) throw Failure(reader.location() + ": its label is not in classes of data.options");
    add(out, {(csv.parent_path() / fields[path_at]).string(), *label});
  }
  return out;
}

}  // namespace

std::vector<Image> list_images(const std::string& file, const std::string& label_column,
                               const Options& options) {
  if (file.empty())
    throw Failure("data.file is missing: a folder with a folder for each class, or a CSV file");
  std::error_code error;
  const fs::file_status status = fs::status(file, error);
  if (!fs::exists(status)) throw Failure(file + ": does not exist, or may not be read");
  std::vector<Image> out = fs::is_directory(status)
                               ? list_folders(file, options)
                               : list_csv(file, label_column.empty() ? "label" : label_column, options);
  if (out.empty()) throw Failure(file + ": names no image");
  return out;
}

}  // namespace hansa_dicom
