// Which models a run keeps: [store] in federation.toml.
//
// The initial model, the last round's model and what a restart needs are kept whatever the retention says. A round
// whose model is removed keeps its record: RoundRecord::model_kept is false then.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa::server {

struct Retention {
  enum class Keep : std::uint8_t {
    all,
    last,  // the last `count` rounds
    best,  // the `count` rounds with the best mean of `metric`
    every,  // rounds whose number is divisible by `count`
  };
  Keep keep = Keep::all;
  std::uint32_t count = 0;  // 1 to 1,000,000; 0 with Keep::all
  std::string metric;  // of the evaluation; for Keep::best
  friend bool operator==(const Retention&, const Retention&) = default;
};

// "all", "last:N", "best:N" or "every:N". Fails (usage), naming location.
[[nodiscard]] Result<Retention> parse_retention(std::string_view text, const std::string& location);

enum class Better : std::uint8_t { higher, lower };
// Lower is better for names that contain "loss", "error" or "perplexity", and for "mse", "rmse" and "mae".
[[nodiscard]] Better better_of(std::string_view metric);

}  // namespace hansa::server
