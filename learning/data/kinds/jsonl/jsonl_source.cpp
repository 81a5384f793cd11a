// Kind "jsonl": a JSON object in each line of a file, which is an example (jsonl_table.h).
#include <string>
#include <utility>

#include "learning/data/kinds/jsonl/jsonl_table.h"
#include "learning/data/kinds/jsonl/line_reader.h"
#include "learning/data/kinds/openers.h"
#include "learning/data/kinds/records/column_choice.h"

namespace hansa::learning::kinds {
namespace {

tl::unexpected<Error> refuse_line(const std::string& location, std::uint64_t line,
                                  const internal::InvalidValue& problem) {
  return fail(ErrorCode::data, location + ":" + std::to_string(line), problem.what, problem.hint,
              {problem.reason, {{Quantity::line, line}}});
}

// The columns that are read: the inputs, then the label. The keys of the first line are the file's columns.
Result<std::vector<std::string>> choose_names(const DataConfig& config, const LineReader& first) {
  const std::string location = config.file.string();
  const auto keys = keys_of(first.line());
  if (!keys) return refuse_line(location, first.number(), keys.error().problem);
  HANSA_TRY(const ColumnChoice choice,
            choose_columns(config, *keys, location + ":" + std::to_string(first.number())));
  std::vector<std::string> out;
  for (const std::size_t column : choice.inputs) out.push_back((*keys)[column]);
  out.push_back(config.label);
  return out;
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_jsonl(const DataConfig& config) {
  HANSA_TRY(auto file,
            internal::ByteStream::open(
                config.file, "set data.file to a file with a JSON object in each line, plain or .gz"));
  HANSA_TRY_VOID(file.require_text());
  LineReader lines(file);
  HANSA_TRY(bool more, lines.next());
  if (!more)
    return file.bad("is empty", "give this client a file with a JSON object in each line",
                    ReasonCode::too_few_examples);
  HANSA_TRY(std::vector<std::string> names, choose_names(config, lines));
  ObjectReader objects(names, config.columns.empty() ? OtherKeys::refused : OtherKeys::passed);
  names.pop_back();
  JsonlTable table(config, std::move(names));
  while (more) {
    if (const auto read = objects.read(lines.line()); !read) {
      const InvalidObject& invalid = read.error();
      if (invalid.column) return table.refuse(lines.number(), *invalid.column, invalid.problem);
      return refuse_line(config.file.string(), lines.number(), invalid.problem);
    }
    HANSA_TRY_VOID(table.add(objects.values(), lines.number()));
    if (table.count() == config.examples_max) break;
    HANSA_TRY(more, lines.next());
  }
  return table.take();
}

}  // namespace hansa::learning::kinds
