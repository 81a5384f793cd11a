#include "learning/data/internal/windows_source.h"

#include <cassert>

#include "learning/data/internal/csv_table.h"

namespace hansa::learning::internal {
namespace {

class WindowsSource final : public DataSource {
 public:
  WindowsSource(const DataConfig& config, CsvTable table, std::vector<std::uint32_t> starts)
      : location_(config.file.string()),
        window_(config.window),
        label_offset_(std::size_t{config.window} - 1 + config.horizon),
        table_(std::move(table)),
        starts_(std::move(starts)) {
    shape_ = one_input({static_cast<std::int64_t>(table_.columns), static_cast<std::int64_t>(window_)},
                       table_.target(config));
  }

  [[nodiscard]] std::uint64_t example_count() const override { return starts_.size(); }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] DataDescription description() const override { return table_.describe(shape_); }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return sizeof(float) * (table_.inputs.size() + table_.reals.size()) +
           sizeof(std::int64_t) * table_.class_indices.size() +
           sizeof(std::uint32_t) * (table_.segments.size() + starts_.size());
  }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    if (!tensors[0].empty()) read_windows(indices, values_of<float>(tensors[0]));
    if (tensors[1].empty()) return {};
    if (table_.reals.empty()) read_labels(table_.class_indices, indices, tensors[1]);
    else read_labels(table_.reals, indices, tensors[1]);
    return {};
  }

 private:
  void read_windows(std::span<const std::uint32_t> indices, std::span<float> inputs) const {
    assert(inputs.size() == indices.size() * shape_.inputs[0].elements());
    float* out = inputs.data();
    for (const std::uint32_t index : indices) {
      const float* rows = table_.inputs.data() + std::size_t{starts_[index]} * table_.columns;
      for (std::size_t column = 0; column < table_.columns; ++column)
        for (std::size_t row = 0; row < window_; ++row) *out++ = rows[row * table_.columns + column];
    }
  }
  template <class T>
  void read_labels(const std::vector<T>& labels, std::span<const std::uint32_t> indices,
                   TensorBytes to) const {
    const std::span<T> out = values_of<T>(to);
    for (std::size_t i = 0; i < indices.size(); ++i) out[i] = labels[starts_[indices[i]] + label_offset_];
  }

  std::string location_;
  std::size_t window_;
  std::size_t label_offset_;  // rows from a window's first to its label
  CsvTable table_;
  std::vector<std::uint32_t> starts_;  // first row of each window
  ExampleShape shape_;
};

}  // namespace

Result<std::unique_ptr<DataSource>> open_windows_source(const DataConfig& config) {
  HANSA_TRY(CsvTable table, read_csv_table(config, 0));
  const std::size_t reach =
      std::size_t{config.window} + config.horizon;  // rows from a window's first to its label
  std::vector<std::uint32_t> starts;
  std::size_t segment_begin = 0;
  for (std::size_t row = 0; row + reach <= table.row_count(); ++row) {
    if (table.segments[row] != table.segments[segment_begin]) segment_begin = row;
    if ((row - segment_begin) % config.stride != 0 || table.segments[row + reach - 1] != table.segments[row])
      continue;
    starts.push_back(static_cast<std::uint32_t>(row));
    if (starts.size() == config.examples_max) break;
  }
  if (starts.empty())
    return fail(ErrorCode::data, config.file.string(),
                "has " + std::to_string(table.row_count()) + " rows, but no " + std::to_string(reach) +
                    " consecutive rows of one series, which a window with its label needs",
                "lower data.window or data.horizon, or give this client a longer series",
                {ReasonCode::too_few_examples, {}});
  return std::make_unique<WindowsSource>(config, std::move(table), std::move(starts));
}

}  // namespace hansa::learning::internal
