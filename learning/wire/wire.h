// Values of learning in the frames between a program and its child process that uses LibTorch: JSON.
//
// Both processes run the same build on the same machine, so that the messages have no version. A number that is not
// finite is sent as a string: "nan", "inf", "-inf". The child may have been taken over by a model's code: what it sends
// is limited in length and number here, and its texts are for the log of this machine only.
#pragma once
#include <filesystem>
#include <functional>
#include <string>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/data_description.h"
#include "common/error.h"
#include "common/training.h"
#include "learning/data/data_config.h"
#include "learning/data/data_source.h"

namespace hansa::learning {

using Json = nlohmann::json;

inline constexpr std::size_t wire_metrics_max = 64;
inline constexpr std::size_t wire_errors_max = 16;
inline constexpr std::size_t wire_text_bytes_max = 1'000;  // of each text of an error

// The absolute path, which does not depend on the receiver's working folder. An empty path stays empty.
[[nodiscard]] std::string absolute_path(const std::filesystem::path& path);
// The object as a frame. Bytes that are not UTF-8 are replaced.
[[nodiscard]] std::string frame_of(const Json& object);
// Fails with `internal` if the frame is not a JSON object.
[[nodiscard]] Result<Json> parse_frame(std::string_view frame, const std::string& location);

[[nodiscard]] Json json_of(const Error& error);
// Of errors as json_of() writes them, at most wire_errors_max of them.
[[nodiscard]] std::vector<Error> errors_of(const Json& errors);
// The frame that answers a request: what `handle` returns, or its error. An exception becomes an error too;
// out_of_memory is that of std::bad_alloc.
[[nodiscard]] std::string answer_of(const std::function<Result<Json>()>& handle, const Error& out_of_memory);
// Succeeds if the answer has "ok": true. Otherwise returns the error in the answer, or `internal` if it contains none.
[[nodiscard]] Result<void> require_ok(const Json& answer, const std::string& location);
// Parses an answer and requires that it is ok.
[[nodiscard]] Result<Json> parse_answer(std::string_view frame, const std::string& location);

// The following throw Json::exception on a wrong type.
[[nodiscard]] Json json_of(const DataConfig& data);
[[nodiscard]] DataConfig data_of(const Json& data);
[[nodiscard]] Json json_of(const ExampleShape& shape);
[[nodiscard]] ExampleShape shape_of(const Json& shape);
// Names and ranges beyond the limits of common/data_description.h are left out.
[[nodiscard]] Json json_of(DataDescription description);
// Throws also if it exceeds these limits, or could describe no data.
[[nodiscard]] DataDescription description_of(const Json& description);
[[nodiscard]] Json json_of(const Metrics& metrics);
// Throws also if there are too many, or a name is too long.
[[nodiscard]] Metrics metrics_of(const Json& metrics);
[[nodiscard]] Json number(double value);
[[nodiscard]] double number_of(const Json& value);

}  // namespace hansa::learning
