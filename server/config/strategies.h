// The catalogue of what federation.toml can choose: in [cohort] the mode, in [strategy] methods, selections, aggregations and
// server optimisers. `hansa strategies` prints it. The options of each are in the schema, in the table [strategy.NAME] or
// [cohort.NAME].
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "common/config/schema.h"

namespace hansa::server {

enum class StrategyKind : std::uint8_t { mode, method, selection, aggregation, server_optimizer };
// "strategy" or "cohort", and the key in this table: "server_optimizer".
[[nodiscard]] std::string_view table_of(StrategyKind kind);
[[nodiscard]] std::string_view key_of(StrategyKind kind);

struct Strategy {
  StrategyKind kind = StrategyKind::method;
  std::string_view name;
  std::string_view what;  // for an operator, a sentence without a full stop
  std::string_view source;  // the paper
  std::string_view memory;  // in addition to the model, and where
  bool with_secure_aggregation = true;
  std::string_view limits;  // what else it does not go with, or needs; may be empty
};

// Every name that the configuration accepts, once: by kind, in the order of the schema's choices.
[[nodiscard]] std::span<const Strategy> strategies();
// Whether it can be chosen together with cohort.mode = "buffered".
[[nodiscard]] bool goes_with_buffered(const Strategy& strategy);
// The settings of [strategy.NAME] or [cohort.NAME]; empty: it has none of its own.
[[nodiscard]] std::span<const config::Setting> options_of(const Strategy& strategy);

}  // namespace hansa::server
