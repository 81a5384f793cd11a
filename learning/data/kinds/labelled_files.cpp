#include "learning/data/kinds/labelled_files.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <optional>
#include <system_error>

#include "common/spelling.h"
#include "learning/data/internal/byte_stream.h"
#include "learning/data/internal/csv_reader.h"
#include "learning/data/internal/label_values.h"

namespace hansa::learning::kinds {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t files_max = 10'000'000;

bool is_hidden(const fs::path& path) { return path.filename().string().starts_with('.'); }

Error too_many(const std::string& location) {
  return {ErrorCode::data,
          location,
          "has more than 10,000,000 files",
          "set data.examples_max",
          {ReasonCode::data_too_large, {}}};
}

std::string listed(std::span<const std::string_view> words) {
  std::string out;
  for (const std::string_view word : words) out += (out.empty() ? "" : ", ") + std::string(word);
  return out;
}

class ClassFolders {
 public:
  ClassFolders(const DataConfig& config, Listing listing)
      : root_(config.class_folders),
        given_(config.classes),
        most_(config.examples_max),
        extensions_(extensions_of(config.kind)),
        listing_(listing) {}

  Result<LabelledFiles> find() {
    HANSA_TRY(const std::vector<fs::path> folders, class_folders());
    out_.classes = given_;
    if (out_.classes.empty())
      for (const fs::path& folder : folders) out_.classes.push_back(folder.filename().string());
    out_.class_count = static_cast<std::int64_t>(out_.classes.size());
    for (const fs::path& folder : folders) HANSA_TRY_VOID(add(folder));
    if (most_ > 0) take_in_turn();
    if (!out_.files.empty() || listing_ == Listing::growing) return std::move(out_);
    return fail(ErrorCode::data, root_.string(),
                "has no file in the folders of its classes whose name ends with " + listed(extensions_) +
                    (others_ > 0 ? " (" + std::to_string(others_) + " others are there)" : ""),
                "put the files of each class into a folder that has the name of the class",
                {ReasonCode::too_few_examples, {}});
  }

 private:
  // The first examples_max files: one of each class, then another one of each.
  void take_in_turn() {
    std::map<std::int64_t, std::uint64_t> seen;
    std::vector<std::pair<std::uint64_t, std::size_t>> order;  // turn and position
    for (std::size_t i = 0; i < out_.files.size(); ++i) order.emplace_back(seen[out_.files[i].label]++, i);
    std::ranges::sort(order);
    order.resize(std::min<std::size_t>(order.size(), most_));
    std::vector<LabelledFile> taken;
    for (const auto& [turn, i] : order) taken.push_back(std::move(out_.files[i]));
    out_.files = std::move(taken);
  }

  // In the order of their names.
  Result<std::vector<fs::path>> class_folders() const {
    std::vector<fs::path> out;
    std::error_code error;
    for (fs::directory_iterator at(root_, error), end; !error && at != end; at.increment(error))
      if (!is_hidden(at->path()) && at->is_directory(error)) out.push_back(at->path());
    if (error)
      return fail(ErrorCode::data, root_.string(), "cannot be read (" + error.message() + ")",
                  "set data.class_folders to a folder with a folder for each class",
                  {ReasonCode::data_unreadable, {}});
    if (out.empty() && listing_ == Listing::whole)
      return fail(ErrorCode::data, root_.string(), "has no folder",
                  "put the files of each class into a folder that has the name of the class",
                  {ReasonCode::too_few_examples, {}});
    std::ranges::sort(out);
    return out;
  }

  Result<void> add(const fs::path& folder) {
    const std::string name = folder.filename().string();
    const auto found = std::ranges::find(out_.classes, name);
    if (found == out_.classes.end()) {
      const auto near = nearest_word(name, out_.classes);
      return fail(
          ErrorCode::data, folder.string(), "is a folder of no class in data.classes",
          near ? "did you mean \"" + *near + "\"?" : "add the class on all clients, or move the folder away",
          {ReasonCode::class_unknown, {}});
    }
    std::vector<fs::path> paths;
    std::error_code error;
    for (fs::recursive_directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
      if (is_hidden(at->path())) {
        at.disable_recursion_pending();
        continue;
      }
      if (!at->is_regular_file(error)) continue;
      if (has_extension(at->path())) paths.push_back(at->path());
      else ++others_;
      if (paths.size() + out_.files.size() > files_max) return tl::unexpected(too_many(root_.string()));
    }
    if (error)
      return fail(ErrorCode::data, folder.string(), "cannot be read (" + error.message() + ")",
                  "give the user that runs this program permission to read the folder",
                  {ReasonCode::data_unreadable, {}});
    std::ranges::sort(paths);
    for (fs::path& path : paths) {
      std::string below = path.lexically_relative(root_).string();
      out_.files.push_back({std::move(path), std::move(below), found - out_.classes.begin()});
    }
    return {};
  }

  [[nodiscard]] bool has_extension(const fs::path& path) const {
    std::string extension = path.extension().string();
    std::ranges::transform(extension, extension.begin(),
                           [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    return std::ranges::find(extensions_, extension) != extensions_.end();
  }

  fs::path root_;
  std::vector<std::string> given_;
  std::uint64_t most_;
  std::span<const std::string_view> extensions_;
  Listing listing_;
  std::uint64_t others_ = 0;  // files that are not of these kinds
  LabelledFiles out_;
};

class FileTable {
 public:
  FileTable(const DataConfig& config, Listing listing)
      : config_(config), location_(config.file.string()), listing_(listing) {}

  Result<LabelledFiles> read() {
    HANSA_TRY(auto stream, internal::ByteStream::open(
                               config_.file, "set data.file to a CSV file with the columns file and label"));
    HANSA_TRY_VOID(stream.require_text());
    internal::CsvReader reader([&stream](std::span<std::uint8_t> to) { return stream.read_some(to); },
                               location_, ',',
                               listing_ == Listing::growing ? internal::CsvReader::LastLine::torn
                                                            : internal::CsvReader::LastLine::whole);
    internal::CsvRecord record;
    HANSA_TRY(const bool has_header, reader.next(record));
    if (!has_header && listing_ == Listing::growing) return std::move(out_);
    if (!has_header) return stream.bad("is empty", "its first line must name the columns");
    HANSA_TRY_VOID(find_columns(record));
    out_.classes = config_.classes;
    while (config_.examples_max == 0 || out_.files.size() < config_.examples_max) {
      const auto added = add_next(reader, record);
      if (!added && listing_ == Listing::whole) return tl::unexpected<Error>(added.error());
      if (!added) out_.problem = added.error();
      if (!added || !*added) break;
      if (out_.files.size() > files_max) return tl::unexpected(too_many(location_));
    }
    if (out_.files.empty() && listing_ == Listing::whole)
      return stream.bad("names no file", "add a line for each file below the header",
                        ReasonCode::too_few_examples);
    if (!out_.classes.empty()) out_.class_count = static_cast<std::int64_t>(out_.classes.size());
    return std::move(out_);
  }

 private:
  Result<std::size_t> column(const internal::CsvRecord& header, const std::string& name) const {
    const auto found = std::ranges::find(header.fields, name);
    if (found == header.fields.end())
      return fail(ErrorCode::data, location_, "has no column " + internal::in_quotes(name),
                  "its first line must be \"file,label\", or set data.columns and data.label",
                  {ReasonCode::column_missing, {}});
    return static_cast<std::size_t>(found - header.fields.begin());
  }
  Result<void> find_columns(const internal::CsvRecord& header) {
    if (config_.columns.size() > 1)
      return fail(ErrorCode::usage, "data.columns", "names more than one column",
                  "name the column with the paths");
    HANSA_TRY(path_, column(header, config_.columns.empty() ? "file" : config_.columns[0]));
    HANSA_TRY(label_, column(header, config_.label.empty() ? "label" : config_.label));
    fields_ = header.fields.size();
    return {};
  }

  // False at the end.
  Result<bool> add_next(internal::CsvReader& reader, internal::CsvRecord& record) {
    HANSA_TRY(const bool more, reader.next(record));
    if (more) HANSA_TRY_VOID(add(record));
    return more;
  }

  Result<void> add(const internal::CsvRecord& record) {
    const std::string place = location_ + ":" + std::to_string(record.line);
    if (record.fields.size() != fields_)
      return fail(ErrorCode::data, place,
                  "has " + std::to_string(record.fields.size()) + " fields, but the header has " +
                      std::to_string(fields_),
                  "correct the line",
                  {ReasonCode::row_length,
                   {{Quantity::line, record.line},
                    {Quantity::fields, record.fields.size()},
                    {Quantity::fields_expected, fields_}}});
    const fs::path path(record.fields[path_]);
    const bool leaves = std::ranges::find(path, fs::path("..")) != path.end();
    if (path.empty() || (path.is_relative() && leaves))
      return fail(ErrorCode::data, place, "has the path " + internal::in_quotes(path.string()),
                  "write a path below the folder of this file, or an absolute one",
                  {ReasonCode::value_invalid, {{Quantity::line, record.line}}});
    HANSA_TRY(const std::int64_t label, label_of(record.fields[label_], place, record.line));
    out_.class_count = std::max(out_.class_count, label + 1);
    out_.files.push_back(
        {path.is_absolute() ? path : config_.file.parent_path() / path, path.string(), label});
    return {};
  }

  Result<std::int64_t> label_of(std::string_view text, const std::string& place, std::uint64_t line) const {
    const auto label = internal::class_of(text, config_.classes);
    if (label) return *label;
    return fail(ErrorCode::data, place + ": label", label.error().what, label.error().hint,
                {label.error().reason, {{Quantity::line, line}}});
  }

  const DataConfig& config_;
  std::string location_;
  Listing listing_;
  std::size_t path_ = 0;
  std::size_t label_ = 0;
  std::size_t fields_ = 0;
  LabelledFiles out_;
};

}  // namespace

std::span<const std::string_view> extensions_of(std::string_view kind) {
  static constexpr std::array<std::string_view, 3> images{".jpg", ".jpeg", ".png"};
  static constexpr std::array<std::string_view, 12> audio{".wav",  ".flac", ".ogg", ".oga", ".opus", ".mp3",
                                                          ".aiff", ".aif",  ".au",  ".w64", ".rf64", ".caf"};
  if (kind == "images") return images;
  return audio;
}

Result<LabelledFiles> find_labelled_files(const DataConfig& config, Listing listing) {
  if (!config.class_folders.empty()) return ClassFolders(config, listing).find();
  return FileTable(config, listing).read();
}

}  // namespace hansa::learning::kinds
