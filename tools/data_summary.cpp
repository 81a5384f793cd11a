#include "tools/data_summary.h"

#include <algorithm>
#include <cmath>
#include <numeric>
#include <set>
#include <span>
#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "learning/data/float_columns.h"
#include "tools/json_text.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using learning::TensorBytes;
using learning::TensorSpec;

constexpr std::size_t block_bytes = std::size_t{16} << 20U;
constexpr std::int64_t classes_shown_max = 1'000'000;
constexpr std::size_t names_shown = 40;  // in a table

// Mean and deviation by the differences from the first value, so that large values lose nothing.
class Values {
 public:
  void add(double value) {
    if (count_++ == 0) first_ = least_ = most_ = value;
    least_ = std::min(least_, value);
    most_ = std::max(most_, value);
    sum_ += value - first_;
    squares_ += (value - first_) * (value - first_);
  }
  [[nodiscard]] ValueStatistics statistics() const {
    if (count_ == 0) return {};
    const auto n = static_cast<double>(count_);
    return {least_, most_, first_ + sum_ / n,
            std::sqrt(std::max(0.0, squares_ / n - (sum_ / n) * (sum_ / n)))};
  }

 private:
  std::uint64_t count_ = 0;
  double first_ = 0, least_ = 0, most_ = 0, sum_ = 0, squares_ = 0;
};

// f(double) for each value.
template <class F>
void for_each_value(const TensorSpec& spec, TensorBytes bytes, const F& f) {
  const auto visit = [&](auto values) {
    for (const auto value : values) f(static_cast<double>(value));
  };
  switch (spec.type) {
    case ElementType::float32: return visit(learning::values_of<float>(bytes));
    case ElementType::uint8:
    case ElementType::boolean: return visit(learning::values_of<std::uint8_t>(bytes));
    case ElementType::int32: return visit(learning::values_of<std::int32_t>(bytes));
    case ElementType::int64: return visit(learning::values_of<std::int64_t>(bytes));
  }
}

void count_labels(TensorBytes bytes, TensorSummary& out) {
  for (const std::int64_t label : learning::values_of<std::int64_t>(bytes)) {
    if (label >= 0 && label < out.spec.class_count) ++out.labels[static_cast<std::size_t>(label)];
    else ++out.ignored_labels;
  }
}

std::vector<std::uint32_t> examples_to_read(const learning::DataSource& source, Reading reading) {
  const std::uint64_t count = source.example_count();
  const bool takes_some = reading == Reading::some && source.decodes();
  const std::uint64_t wanted = takes_some ? std::min(count, decoded_max) : count;
  std::vector<std::uint32_t> out;
  for (std::uint64_t i = 0; i < wanted; ++i) out.push_back(static_cast<std::uint32_t>(i * count / wanted));
  return out;
}

std::string shape_text(const TensorSpec& spec) {
  return spec.shape.empty() ? "scalar" : fmt::format("{}", fmt::join(spec.shape, " x "));
}

std::string number_text(double value) { return fmt::format("{:.6g}", value); }

std::string tensor_table(const DataSummary& summary) {
  TextTable table({{"tensor", Align::left},
                   {"role", Align::left},
                   {"type", Align::left},
                   {"shape", Align::left},
                   {"least"},
                   {"most"},
                   {"mean"},
                   {"deviation"}});
  for (const TensorSummary& tensor : summary.tensors) {
    std::vector<std::string> row{printable(tensor.spec.name), tensor.is_target ? "target" : "input",
                                 std::string(name(tensor.spec.type)), shape_text(tensor.spec)};
    if (!tensor.labels.empty())
      row.insert(row.end(), {"0", std::to_string(tensor.spec.class_count - 1), "-", "-"});
    else
      for (const double value :
           {tensor.values.least, tensor.values.most, tensor.values.mean, tensor.values.deviation})
        row.push_back(number_text(value));
    table.add_row(std::move(row));
  }
  return table.text();
}

std::string column_table(const DataDescription& data) {
  TextTable table({{"column", Align::left}, {"least"}, {"most"}, {"missing"}});
  for (std::size_t i = 0; i < std::min(data.columns.size(), names_shown); ++i) {
    const bool has_range = i < data.ranges.size();
    table.add_row({printable(data.columns[i]), has_range ? number_text(data.ranges[i].least) : "-",
                   has_range ? number_text(data.ranges[i].most) : "-",
                   i < data.missing.size() ? std::to_string(data.missing[i]) : "-"});
  }
  std::string out = table.text();
  if (data.columns.size() > names_shown)
    out += fmt::format("and {} more columns\n", data.columns.size() - names_shown);
  if (data.rows_skipped > 0)
    out += fmt::format("{} rows were skipped, because a value is missing\n", data.rows_skipped);
  return out;
}

std::string label_table(const DataSummary& summary, const TensorSummary& target) {
  const std::uint64_t total = std::accumulate(target.labels.begin(), target.labels.end(), std::uint64_t{0});
  TextTable table({{"class"}, {"label", Align::left}, {"count"}, {"fraction"}});
  std::size_t shown = 0;
  for (std::size_t c = 0; c < target.labels.size() && shown < names_shown; ++c) {
    const bool is_named = c < summary.description.classes.size();
    if (target.labels[c] == 0 && !is_named) continue;
    ++shown;
    table.add_row(
        {std::to_string(c), is_named ? printable(summary.description.classes[c]) : std::to_string(c),
         std::to_string(target.labels[c]),
         total > 0 ? fmt::format("{:.3f}", static_cast<double>(target.labels[c]) / static_cast<double>(total))
                   : "-"});
  }
  std::string out = fmt::format("labels of {}\n{}", printable(target.spec.name), table.text());
  if (shown == names_shown)
    out += fmt::format("{} classes in all; --json lists them\n", target.labels.size());
  if (target.ignored_labels > 0) out += fmt::format("{} places do not count (-100)\n", target.ignored_labels);
  return out;
}

}  // namespace

Result<DataSummary> summarise(const learning::DataSource& source, DataDescription description,
                              Reading reading) {
  const learning::ExampleShape& shape = source.shape();
  const std::vector<std::uint32_t> order = examples_to_read(source, reading);
  DataSummary out{source.location(),      source.example_count(),
                  order.size(),           source.memory_bytes(),
                  shape.bytes(),          {},
                  std::move(description), learning::float_columns(shape),
                  source.left_out()};
  const std::size_t block =
      std::clamp<std::size_t>(block_bytes / std::max<std::size_t>(shape.bytes(), 1), 1, 256);
  std::vector<Values> values(shape.size());
  std::vector<std::vector<std::uint64_t>> memory(shape.size());  // of 8 bytes each for the alignment
  for (std::size_t t = 0; t < shape.size(); ++t) {
    out.tensors.push_back({shape[t], t >= shape.inputs.size(), {}, {}, 0});
    // Numbers that go up to a billion are no classes: their range is shown, as of other values.
    if (shape[t].class_count <= classes_shown_max)
      out.tensors[t].labels.resize(static_cast<std::size_t>(shape[t].class_count));
    memory[t].resize(block * shape[t].bytes() / sizeof(std::uint64_t) + 1);
  }
  std::set<std::string> damaged;  // files whose examples could not be read
  std::size_t blocks_of_one_until = 0;  // after an error, to find the example
  for (std::size_t begin = 0, size = 0; begin < order.size(); begin += size) {
    size = begin < blocks_of_one_until ? 1 : std::min(block, order.size() - begin);
    const auto indices = std::span(order).subspan(begin, size);
    std::vector<TensorBytes> tensors;
    for (std::size_t t = 0; t < shape.size(); ++t)
      tensors.push_back(
          std::as_writable_bytes(std::span(memory[t])).first(indices.size() * shape[t].bytes()));
    if (auto read = source.read(indices, tensors); !read) {
      if (read.error().reason.code != ReasonCode::example_invalid) return tl::unexpected<Error>(read.error());
      if (size > 1) {
        blocks_of_one_until = begin + size;
        size = 0;
      } else {
        --out.read;
        if (damaged.insert(read.error().location).second) out.damaged.push_back(std::move(read.error()));
      }
      continue;
    }
    for (std::size_t t = 0; t < shape.size(); ++t) {
      if (!out.tensors[t].labels.empty()) count_labels(tensors[t], out.tensors[t]);
      else for_each_value(shape[t], tensors[t], [&](double value) { values[t].add(value); });
    }
  }
  for (std::size_t t = 0; t < shape.size(); ++t) out.tensors[t].values = values[t].statistics();
  return out;
}

std::string text_of(const DataSummary& summary) {
  std::string out = fmt::format("{}: {} examples, {} in memory, {} for each example of a batch\n",
                                printable(summary.location), summary.examples,
                                bytes_text(summary.memory_bytes), bytes_text(summary.example_bytes));
  if (summary.read < summary.examples)
    out += fmt::format("the values are those of {} of them{}\n", summary.read,
                       summary.examples > decoded_max ? ", evenly distributed" : "");
  if (!summary.description.preparation.empty()) out += printable(summary.description.preparation) + "\n";
  out += tensor_table(summary);
  if (summary.columns > 0)
    out += fmt::format("columns for [statistics] in federation.toml: {}\n", summary.columns);
  if (!summary.description.columns.empty()) out += "\n" + column_table(summary.description);
  for (const TensorSummary& tensor : summary.tensors)
    if (!tensor.labels.empty()) out += "\n" + label_table(summary, tensor);
  if (!summary.damaged.empty()) {
    out += fmt::format("\n{} damaged {}\n", summary.damaged.size(),
                       summary.damaged.size() == 1 ? "file" : "files");
    for (const Error& file : summary.damaged) out += "  " + file.text() + "\n";
  }
  if (!summary.notes.empty()) out += "\n";
  for (const Error& note : summary.notes) out += note.text() + "\n";
  return out;
}

std::string json_of(const DataSummary& summary) {
  using nlohmann::json;
  json tensors = json::array();
  for (const TensorSummary& tensor : summary.tensors) {
    json entry{{"name", printable(tensor.spec.name)},
               {"role", tensor.is_target ? "target" : "input"},
               {"type", name(tensor.spec.type)},
               {"shape", tensor.spec.shape}};
    if (tensor.labels.empty()) {
      entry.update({{"least", tensor.values.least},
                    {"most", tensor.values.most},
                    {"mean", tensor.values.mean},
                    {"deviation", tensor.values.deviation}});
    } else {
      entry.update({{"labels", tensor.labels}, {"ignored_labels", tensor.ignored_labels}});
    }
    tensors.push_back(std::move(entry));
  }
  const DataDescription& data = summary.description;
  json columns = json::array();
  for (std::size_t i = 0; i < data.columns.size(); ++i) {
    json column{{"name", printable(data.columns[i])}};
    if (i < data.ranges.size())
      column.update({{"least", data.ranges[i].least}, {"most", data.ranges[i].most}});
    if (i < data.missing.size()) column["missing"] = data.missing[i];
    columns.push_back(std::move(column));
  }
  json classes = json::array();
  for (const std::string& label : data.classes) classes.push_back(printable(label));
  json damaged = json::array();
  for (const Error& file : summary.damaged)
    damaged.push_back({{"file", printable(file.location)}, {"what", printable(file.what)}});
  json notes = json::array();
  for (const Error& note : summary.notes) notes.push_back(printable(note.text()));
  return json{{"location", printable(summary.location)},
              {"examples", summary.examples},
              {"read", summary.read},
              {"statistics_columns", summary.columns},
              {"memory_bytes", summary.memory_bytes},
              {"example_bytes", summary.example_bytes},
              {"tensors", std::move(tensors)},
              {"columns", std::move(columns)},
              {"rows_skipped", data.rows_skipped},
              {"classes", std::move(classes)},
              {"preparation", printable(data.preparation)},
              {"damaged", std::move(damaged)},
              {"notes", std::move(notes)}}
      .dump(2);
}

}  // namespace hansa::tools
