#include "learning/data/follow/labelled_reader.h"

#include <algorithm>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <filesystem>
#include <string>
#include <utility>

#include <unistd.h>

#include "common/descriptor.h"

namespace hansa::learning::internal {
namespace {

std::string absolute_path(const kinds::LabelledFile& file) {
  return std::filesystem::absolute(file.path).string();
}

// A CSV file of paths and labels, which exists as long as this object. Readable by this user only. It has a name, because the
// process that opens it may not look at the descriptors of a client, which keeps its memory private.
class FileList {
 public:
  FileList(const FileList&) = delete;
  FileList& operator=(const FileList&) = delete;
  FileList(FileList&& other) noexcept : path_(std::exchange(other.path_, {})) {}
  FileList& operator=(FileList&&) = delete;
  ~FileList() {
    if (!path_.empty()) ::unlink(path_.c_str());
  }
  // The label of each file is its position in `files`, so that its examples are known by their labels.
  static Result<FileList> write(std::span<const kinds::LabelledFile> files) {
    std::string text = "file,label\n";
    for (std::size_t i = 0; i < files.size(); ++i)
      text += quoted(absolute_path(files[i])) + "," + std::to_string(i) + "\n";
    std::error_code ignored;
    std::string name = (std::filesystem::temp_directory_path(ignored) / "hansa-files-XXXXXX").string();
    const Descriptor file(::mkstemp(name.data()));
    if (!file)
      return fail(ErrorCode::storage, name, std::string("cannot be created (") + std::strerror(errno) + ")",
                  "set TMPDIR to a folder in which this user may write");
    FileList out(name);
    HANSA_TRY_VOID(write_whole(file, std::as_bytes(std::span(text)), name));
    return out;
  }
  [[nodiscard]] const std::string& path() const { return path_; }

 private:
  explicit FileList(std::string path) : path_(std::move(path)) {}
  static std::string quoted(const std::string& text) {
    std::string out = "\"";
    for (const char c : text) out += c == '"' ? std::string("\"\"") : std::string(1, c);
    return out + "\"";
  }
  std::string path_;
};

// Whether other files can be read all the same: it is an error of the data, or the process that decodes them has crashed.
bool is_of_a_file(const Error& error) {
  return error.code == ErrorCode::data || error.code == ErrorCode::internal;
}

// The error may name the list, or the process that crashed.
Error about(const kinds::LabelledFile& file, Error error) {
  if (!error.location.starts_with(absolute_path(file))) error.location = absolute_path(file);
  return error;
}

}  // namespace

LabelledReader::LabelledReader(const DataConfig& data, OpenDataSource open)
    : data_(data), open_(std::move(open)) {}

Result<std::vector<FileExamples>> LabelledReader::read_together(
    std::span<const kinds::LabelledFile> files) const {
  HANSA_TRY(const FileList list, FileList::write(files));
  DataConfig config = data_;
  config.file = list.path();
  config.class_folders.clear();
  config.columns.clear();
  config.label.clear();
  config.classes.clear();
  config.damaged_max =
      files.size() > 1 ? 1 : 0;  // of more than one file, those that are left out are read alone
  HANSA_TRY(const auto source, open_(config));
  HANSA_TRY(const Examples all, copy_of(*source));

  const std::size_t target = all.shape.inputs.size();
  const std::vector<std::int64_t>& positions = all.values<std::int64_t>(target);
  std::vector<FileExamples> out(files.size());
  for (std::size_t i = 0; i < files.size(); ++i) {
    ExampleShape shape = all.shape;
    shape.targets = {class_target(data_.classes.empty() ? files[i].label + 1
                                                        : static_cast<std::int64_t>(data_.classes.size()))};
    out[i].description = source->description();
    out[i].description.classes = data_.classes;
    out[i].description.class_count = static_cast<std::uint64_t>(shape.targets[0].class_count);
    out[i].examples = Examples(std::move(shape));
  }
  for (std::size_t e = 0; e < positions.size(); ++e) {
    const auto file = static_cast<std::size_t>(positions[e]);
    if (file >= files.size()) return fail(ErrorCode::internal, list.path(), "gave an example of no file");
    Examples& to = out[file].examples;
    for (std::size_t t = 0; t < target; ++t) {
      const std::size_t bytes = all.shape[t].bytes();
      append(bytes_of(all.tensors[t]).subspan(e * bytes, bytes), to.tensors[t]);
    }
    to.values<std::int64_t>(target).push_back(files[file].label);
  }
  return out;
}

Result<std::vector<FileExamples>> LabelledReader::read(std::span<const kinds::LabelledFile> files) const {
  std::vector<FileExamples> out(files.size());
  std::vector<std::size_t> left;  // positions of files that may be read together
  for (std::size_t i = 0; i < files.size(); ++i) left.push_back(i);
  while (!left.empty()) {
    std::vector<kinds::LabelledFile> some;
    for (const std::size_t i : left) some.push_back(files[i]);
    auto together = read_together(some);
    if (together) {
      for (std::size_t i = 0; i < left.size(); ++i) out[left[i]] = std::move((*together)[i]);
      break;
    }
    if (!is_of_a_file(together.error())) return together;
    // The others are read without the file that the error names.
    const auto named = std::ranges::find_if(left, [&](std::size_t i) {
      return left.size() == 1 || together.error().location == absolute_path(files[i]);
    });
    if (named == left.end()) break;
    out[*named].problem = about(files[*named], std::move(together.error()));
    left.erase(named);
  }
  for (std::size_t i = 0; i < files.size(); ++i) {
    if (out[i].problem || out[i].examples.count() > 0 || files.size() == 1) continue;
    HANSA_TRY(auto alone, read(files.subspan(i, 1)));
    out[i] = std::move(alone[0]);
  }
  return out;
}

}  // namespace hansa::learning::internal
