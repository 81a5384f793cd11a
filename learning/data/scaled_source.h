// Examples whose float32 inputs are scaled by the federation's statistics when they are read: [data] scale =
// "federation".
#pragma once
#include <memory>
#include <vector>

#include "common/column_statistics.h"
#include "learning/data/data_source.h"
#include "learning/data/float_columns.h"

namespace hansa::learning {

// In an honest federation at most one value in a hundred million is that many deviations from the mean. The aggregator
// chooses the statistics: without a bound, a value that overflows would tell it whether an input is above a number of its
// choice.
inline constexpr double scaled_value_max = 1e4;

// (x - mean) / deviation for each value of a column, computed in double, at most scaled_value_max. A constant column becomes 0, as with scale =
// "standard". Description and identity are those of the other source, which has the values as they are in the files.
class ScaledSource final : public DataSource {
 public:
  // Fails (data) if the statistics are of another number of columns than the source has.
  [[nodiscard]] static Result<std::unique_ptr<ScaledSource>> create(std::shared_ptr<const DataSource> source,
                                                                    const ColumnStatistics& statistics);

  [[nodiscard]] std::uint64_t example_count() const override { return source_->example_count(); }
  [[nodiscard]] const ExampleShape& shape() const override { return source_->shape(); }
  [[nodiscard]] DataDescription description() const override { return source_->description(); }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return source_->memory_bytes(); }
  [[nodiscard]] std::string location() const override { return source_->location(); }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override;
  [[nodiscard]] Result<void> read_augmented(std::span<const std::uint32_t> indices,
                                            std::span<const TensorBytes> tensors,
                                            std::uint64_t seed) const override;
  [[nodiscard]] bool decodes() const override { return source_->decodes(); }
  [[nodiscard]] std::vector<Error> left_out() const override { return source_->left_out(); }
  [[nodiscard]] std::uint64_t damaged_files_max() const override { return source_->damaged_files_max(); }
  [[nodiscard]] std::optional<Digest> identity(std::uint32_t index) const override {
    return source_->identity(index);
  }

 private:
  struct Scale {
    double mean = 0;
    double factor = 0;
  };
  explicit ScaledSource(std::shared_ptr<const DataSource> source);
  void scale(std::span<const TensorBytes> tensors) const;

  std::shared_ptr<const DataSource> source_;
  std::vector<FloatInput> inputs_;
  std::vector<Scale> scales_;  // by column
};

// The source, scaled by statistics (vector_of(ColumnStatistics)) if `scale` asks for it. Fails (usage) if it does and
// statistics is empty, and as ScaledSource::create() does.
[[nodiscard]] Result<std::unique_ptr<DataSource>> scaled(std::unique_ptr<DataSource> source, Scaling scale,
                                                         std::span<const float> statistics);

// "set statistics.columns = 30 in federation.toml", for an error about statistics of another number of columns.
[[nodiscard]] std::string columns_hint(std::size_t columns);

}  // namespace hansa::learning
