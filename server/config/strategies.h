// The catalogue of what [strategy] of federation.toml can choose: methods, selections, aggregations and server optimisers.
// `hansa strategies` prints it. The options of each are in the schema, in the table [strategy.NAME].
#pragma once
#include <cstdint>
#include <span>
#include <string_view>

#include "common/config/schema.h"

namespace hansa::server {

enum class StrategyKind : std::uint8_t { method, selection, aggregation, server_optimizer };
// As the key in [strategy]: "server_optimizer".
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
// The settings of [strategy.NAME]; empty: it has none of its own.
[[nodiscard]] std::span<const config::Setting> options_of(const Strategy& strategy);

}  // namespace hansa::server
