// What the aggregator and its evaluator child say to each other: a JSON object a line.
//
//   {"op":"describe","archive":PATH,"personal":[..],"layout":PATH,"parameters":PATH}     -> {"ok":true,"archive":"sha256:.."}
//     writes the layout's text and the archived values (little-endian float32) to the two files
//   {"op":"open","archive":PATH,"data":{..},"threads":N}                 -> {"ok":true}
//   {"op":"evaluate","parameters":PATH}  -> {"ok":true,"metrics":[{"name":..,"sum":..,"count":..}]}
//   any of them                          -> {"ok":false,"code":..,"place":..,"what":..,"hint":..}
//
// Both ends are of one build and on one machine, so nothing is versioned. A number that is not finite
// travels as a string: "nan", "inf", "-inf".
#pragma once
#include <filesystem>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/error.h"
#include "common/training.h"
#include "learning/data/data_config.h"

namespace hansa::server::internal {

using Json = nlohmann::json;

// The longest line either side accepts.
inline constexpr std::size_t line_bytes_max = 1 << 20;

// The path as the other side finds it, whatever its working folder; "" stays "".
[[nodiscard]] std::string whole_path(const std::filesystem::path& path);
// One line, its end included. Bytes that are no UTF-8 are replaced.
[[nodiscard]] std::string line_of(const Json& object);
// Fails (internal) on what is no JSON object.
[[nodiscard]] Result<Json> parse_line(std::string_view line, const std::string& place);

[[nodiscard]] Json json_of(const Error& error);
// The error an answer holds; nothing for {"ok":true}. Fails (internal) on neither.
[[nodiscard]] Result<void> require_ok(const Json& answer, const std::string& place);

[[nodiscard]] Json json_of(const learning::DataConfig& data);
[[nodiscard]] learning::DataConfig data_of(const Json& data);  // throws Json::exception on a wrong type
[[nodiscard]] Json json_of(const Metrics& metrics);
[[nodiscard]] Metrics metrics_of(const Json& metrics);  // throws Json::exception on a wrong type

}  // namespace hansa::server::internal
