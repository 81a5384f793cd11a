// Arrivals of numbered examples for tests of the state.
#pragma once
#include <cstdint>
#include <string>

#include "learning/data/follow/feed.h"

namespace hansa::client::testing {

// Examples with the labels first, first + 1, ...: two inputs, of which the first is the label.
inline learning::Arrival arrival_of(std::int64_t first, std::size_t count,
                                    const std::string& position = "{}") {
  learning::Arrival out;
  out.source = "rows.csv";
  out.position = position;
  out.records = count;
  out.examples = learning::Examples(
      learning::one_input({2}, learning::class_target(first + static_cast<std::int64_t>(count))));
  for (std::size_t i = 0; i < count; ++i) {
    const auto label = first + static_cast<std::int64_t>(i);
    out.examples.values<float>(0).push_back(static_cast<float>(label));
    out.examples.values<float>(0).push_back(0.5F);
    out.examples.values<std::int64_t>(1).push_back(label);
    out.digest.add(std::to_string(label));
  }
  return out;
}

}  // namespace hansa::client::testing
