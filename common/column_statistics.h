// Mean and deviation of columns over the data of many clients, from sums that are exact.
//
// A client adds up the values x of a column and their squares, without rounding: a float32 is an integer times 2^-149, and
// its square an integer times 2^-298. The sums are integers of a few hundred bits, sent as digits to the base 256 that
// are between -128 and 127. Digits are small integers, so that the mean of the clients' digits is exact enough to compute
// their sum from it, in float32 and in the grid of a secure sum. The order of clients and examples changes nothing, and
// large means with small deviations lose nothing.
#pragma once
#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>
#include <vector>

#include "common/error.h"
#include "common/methods.h"

namespace hansa {

// The method of a task whose only output is what ColumnSums::write() writes, with weight 1.
inline constexpr std::string_view statistics_method = "statistics";
[[nodiscard]] const MethodDescription& statistics_method_description();
// built_in_methods() and this method.
[[nodiscard]] const MethodTable& methods_with_statistics();
// The last input of tasks of a federation that has statistics: their vector, vector_of(ColumnStatistics).
inline constexpr std::string_view statistics_input = "statistics";

inline constexpr std::size_t statistics_columns_max = 16'384;
// More clients cannot be summed exactly: the mean of their digits is rounded to float32.
inline constexpr std::uint32_t statistics_clients_max = 32'768;
inline constexpr double statistics_digit_max = 128;  // magnitude of a digit
inline constexpr std::size_t statistics_digits = 6 + 40 + 75;  // of a column: count, sum, sum of squares

// The sums over one client's data. One thread.
class ColumnSums {
 public:
  explicit ColumnSums(std::size_t columns) : columns_(columns) {}

  // Fails (data) if a value is not finite, or (resource) after more than 2^40 values.
  [[nodiscard]] Result<void> add(std::size_t column, std::span<const float> values);
  [[nodiscard]] std::size_t columns() const { return columns_.size(); }
  // digits: columns() * statistics_digits values, a column after the other.
  void write(std::span<float> digits) const;

 private:
  // A sum in words of 32 bits, the lowest first, with room for carries that have not been propagated.
  template <std::size_t Words>
  struct Sum {
    std::array<std::int64_t, Words> words{};
    void add(std::uint64_t magnitude, unsigned position, bool negative);
    void propagate();
    void write(std::span<float> digits) const;
  };
  struct Column {
    std::uint64_t count = 0;
    Sum<11> values;  // in units of 2^-149
    Sum<20> squares;  // in units of 2^-298
  };
  std::vector<Column> columns_;
};

struct ColumnStatistics {
  std::vector<double> means;
  std::vector<double> deviations;  // of the population; 0 for a constant column
  [[nodiscard]] std::size_t columns() const { return means.size(); }
  friend bool operator==(const ColumnStatistics&, const ColumnStatistics&) = default;
};

// From the mean of the digits over `clients` clients, 1 to statistics_clients_max. Fails (protocol) if no data has such
// sums: a client has sent something else.
[[nodiscard]] Result<ColumnStatistics> statistics_of_digits(std::span<const float> means,
                                                            std::uint32_t clients);

// The statistics as a vector of float32 that keeps every bit: of each column the mean and the deviation, each as the four
// parts of 16 bits of its binary64, the lowest first.
[[nodiscard]] std::vector<float> vector_of(const ColumnStatistics& statistics);
// Fails (protocol) if it is no such vector, or if a value is not finite or beyond the range of float32, or a deviation
// below 0.
[[nodiscard]] Result<ColumnStatistics> statistics_of_vector(std::span<const float> vector);
inline constexpr std::size_t statistics_vector_values = 8;  // of a column

}  // namespace hansa
