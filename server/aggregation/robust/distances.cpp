#include "server/aggregation/robust/distances.h"

#include <algorithm>
#include <array>
#include <cassert>
#include <limits>

namespace hansa::server::internal {
namespace {

// A block of a row stays in the first-level cache, and the blocks of a hundred rows in the second.
constexpr std::size_t block_values = 2'048;
constexpr std::size_t stripes = 64;

double squared_distance(std::span<const float> a, std::span<const float> b) {
  // Eight sums, so that an addition does not wait for the one before it.
  std::array<double, 8> sums{};
  std::size_t i = 0;
  for (; i + sums.size() <= a.size(); i += sums.size())
    for (std::size_t j = 0; j < sums.size(); ++j) {
      const double difference = static_cast<double>(a[i + j]) - static_cast<double>(b[i + j]);
      sums[j] += difference * difference;
    }
  for (; i < a.size(); ++i) {
    const double difference = static_cast<double>(a[i]) - static_cast<double>(b[i]);
    sums[0] += difference * difference;
  }
  return ((sums[0] + sums[1]) + (sums[2] + sums[3])) + ((sums[4] + sums[5]) + (sums[6] + sums[7]));
}

// Calls work(stripe, first, last) for the blocks of each stripe, in order within a stripe.
template <class Work>
void for_stripes(std::size_t elements, WorkerPool& workers, const Work& work) {
  const std::size_t of_stripe = (elements + stripes - 1) / stripes;
  // The pool cuts ranges of elements; a stripe belongs to the slice that has its first element.
  workers.for_slices(elements, [&](std::size_t first, std::size_t last) {
    for (std::size_t stripe = 0; stripe < stripes; ++stripe) {
      const std::size_t begin = stripe * of_stripe;
      if (begin < first || begin >= last) continue;
      const std::size_t end = std::min(elements, begin + of_stripe);
      for (std::size_t at = begin; at < end; at += block_values)
        work(stripe, at, std::min(end, at + block_values));
    }
  });
}

}  // namespace

DistanceMatrix squared_distances(std::span<const std::span<const float>> vectors, WorkerPool& workers) {
  const std::size_t count = vectors.size();
  DistanceMatrix out(count);
  if (count == 0) return out;
  std::vector<std::vector<double>> sums(stripes, std::vector<double>(count * count));
  for_stripes(vectors[0].size(), workers, [&](std::size_t stripe, std::size_t first, std::size_t last) {
    for (std::size_t i = 0; i < count; ++i)
      for (std::size_t j = i + 1; j < count; ++j)
        sums[stripe][i * count + j] += squared_distance(vectors[i].subspan(first, last - first),
                                                        vectors[j].subspan(first, last - first));
  });
  for (std::size_t i = 0; i < count; ++i)
    for (std::size_t j = i + 1; j < count; ++j) {
      double sum = 0;
      for (const auto& stripe : sums) sum += stripe[i * count + j];
      out.set(i, j, sum);
    }
  return out;
}

std::vector<double> squared_distances_to(std::span<const float> centre,
                                         std::span<const std::span<const float>> vectors,
                                         WorkerPool& workers) {
  std::vector<std::vector<double>> sums(stripes, std::vector<double>(vectors.size()));
  for_stripes(centre.size(), workers, [&](std::size_t stripe, std::size_t first, std::size_t last) {
    const auto part = centre.subspan(first, last - first);
    for (std::size_t i = 0; i < vectors.size(); ++i)
      sums[stripe][i] += squared_distance(vectors[i].subspan(first, last - first), part);
  });
  std::vector<double> out(vectors.size());
  for (const auto& stripe : sums)
    for (std::size_t i = 0; i < out.size(); ++i) out[i] += stripe[i];
  return out;
}

void weighted_sum(std::span<const std::span<const float>> vectors, std::span<const double> factors,
                  WorkerPool& workers, std::span<float> out) {
  assert(vectors.size() == factors.size());
  workers.for_slices(out.size(), [&](std::size_t first, std::size_t last) {
    std::array<double, block_values> block;
    for (std::size_t at = first; at < last; at += block_values) {
      const std::size_t size = std::min(block_values, last - at);
      std::fill_n(block.begin(), size, 0.0);
      for (std::size_t k = 0; k < vectors.size(); ++k)
        for (std::size_t i = 0; i < size; ++i)
          block[i] += factors[k] * static_cast<double>(vectors[k][at + i]);
      constexpr double largest = std::numeric_limits<float>::max();
      for (std::size_t i = 0; i < size; ++i)
        out[at + i] = static_cast<float>(std::clamp(block[i], -largest, largest));
    }
  });
}

}  // namespace hansa::server::internal
