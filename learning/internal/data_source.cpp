#include "learning/internal/data_source.h"

#include <functional>
#include <numeric>

#include "learning/internal/idx_source.h"

namespace hansa::learning {
namespace {

std::size_t product(const std::vector<std::int64_t>& shape) {
  return static_cast<std::size_t>(
      std::accumulate(shape.begin(), shape.end(), std::int64_t{1}, std::multiplies<>()));
}

}  // namespace

std::size_t ExampleShape::input_elements() const { return product(input); }
std::size_t ExampleShape::target_elements() const { return product(target); }

Result<std::unique_ptr<DataSource>> open_data_source(const DataConfig& config) {
  if (config.kind == "idx") return open_idx_source(config);
  return fail(ErrorCode::usage, "data.kind", "\"" + config.kind.substr(0, 40) + "\" is not a kind of data",
              "the kinds are \"idx\"");
}

}  // namespace hansa::learning
