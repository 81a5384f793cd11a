// The messages between the aggregator and its child process hansa-evaluator. Each is a JSON object on one line.
//
//   {"op":"describe","archive":PATH,"personal":[..],"layout":PATH,"parameters":PATH}
//                                        -> {"ok":true,"archive":"sha256:.."}
//     writes the text of the layout and the values in the archive (little-endian float32) to the two files
//   {"op":"open","archive":PATH,"data":{..},"threads":N,"personal":[..]}
//                                        -> {"ok":true}
//   {"op":"evaluate","parameters":PATH}  -> {"ok":true,"metrics":[{"name":..,"sum":..,"count":..}]}
//   any of them                          -> {"ok":false,"code":..,"location":..,"what":..,"hint":..}
//
// Both processes run the same build on the same machine, so that the messages have no version. A number that is not
// finite is sent as a string: "nan", "inf", "-inf".
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

// The longest line that either side accepts.
inline constexpr std::size_t line_bytes_max = 1 << 20;

// The absolute path, which does not depend on the receiver's working folder. An empty path stays empty.
[[nodiscard]] std::string absolute_path(const std::filesystem::path& path);
// The object as one line, including its end. Bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string line_of(const Json& object);
// Fails with `internal` if the line is not a JSON object.
[[nodiscard]] Result<Json> parse_line(std::string_view line, const std::string& location);

[[nodiscard]] Json json_of(const Error& error);
// Succeeds if the answer has "ok": true. Otherwise returns the error in the answer, or `internal` if it contains none.
[[nodiscard]] Result<void> require_ok(const Json& answer, const std::string& location);

[[nodiscard]] Json json_of(const learning::DataConfig& data);
[[nodiscard]] learning::DataConfig data_of(const Json& data);  // throws Json::exception on a wrong type
[[nodiscard]] Json json_of(const Metrics& metrics);
[[nodiscard]] Metrics metrics_of(const Json& metrics);  // throws Json::exception on a wrong type

}  // namespace hansa::server::internal
