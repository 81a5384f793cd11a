#include "server/aggregation/vector_squares.h"

#include <algorithm>
#include <span>
#include <vector>

#include <gtest/gtest.h>

namespace hansa::server {
namespace {

TEST(VectorSquares, EachVectorHasItsOwnNormHoweverTheValuesArrive) {
  constexpr std::size_t size = 100, vectors = 3;
  std::vector<float> values(size * vectors);
  for (std::size_t i = 0; i < values.size(); ++i)
    values[i] = static_cast<float>(i / size + 1) * (i % 2 == 0 ? 1.0F : -1.0F);
  for (const std::size_t part : {1UL, 7UL, 100UL, 150UL, 300UL}) {
    VectorSquares squares(values.size(), vectors);
    for (std::size_t first = 0; first < values.size(); first += part)
      squares.add(std::span(values).subspan(first, std::min(part, values.size() - first)), first);
    const std::vector<double> norms = squares.norms();
    ASSERT_EQ(norms.size(), vectors);
    for (std::size_t v = 0; v < vectors; ++v)
      EXPECT_DOUBLE_EQ(norms[v], 10 * static_cast<double>(v + 1)) << "parts of " << part;
  }
}

}  // namespace
}  // namespace hansa::server
