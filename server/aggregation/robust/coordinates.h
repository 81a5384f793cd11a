// The values of all updates at one place, one place after the other.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <span>
#include <vector>

#include "server/aggregation/worker_pool.h"

namespace hansa::server::internal {

// out[i] = reduce(the values of all vectors at i, in the order of the vectors). reduce may change their order.
template <class Reduce>
void for_coordinates(std::span<const std::span<const float>> vectors, WorkerPool& workers,
                     std::span<float> out, const Reduce& reduce) {
  constexpr std::size_t places = 64;  // read from each vector at a time: whole cache lines
  workers.for_slices(out.size(), [&](std::size_t first, std::size_t last) {
    std::vector<float> columns(places * vectors.size());
    for (std::size_t at = first; at < last; at += places) {
      const std::size_t size = std::min(places, last - at);
      for (std::size_t k = 0; k < vectors.size(); ++k)
        for (std::size_t i = 0; i < size; ++i) columns[i * vectors.size() + k] = vectors[k][at + i];
      for (std::size_t i = 0; i < size; ++i)
        out[at + i] = reduce(std::span(columns).subspan(i * vectors.size(), vectors.size()));
    }
  });
}

// Changes their order. values is not empty.
[[nodiscard]] inline double median(std::span<float> values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::ranges::nth_element(values, middle);
  if (values.size() % 2 == 1) return static_cast<double>(*middle);
  const float below = *std::max_element(values.begin(), middle);
  return (static_cast<double>(below) + static_cast<double>(*middle)) / 2;
}

}  // namespace hansa::server::internal
