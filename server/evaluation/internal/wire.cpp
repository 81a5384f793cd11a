#include "server/evaluation/internal/wire.h"

#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>

namespace hansa::server::internal {
namespace {

constexpr std::array codes{ErrorCode::usage,   ErrorCode::data,     ErrorCode::model,   ErrorCode::refused,
                           ErrorCode::network, ErrorCode::protocol, ErrorCode::storage, ErrorCode::resource,
                           ErrorCode::quorum,  ErrorCode::internal};

ErrorCode code_of(std::string_view text) {
  for (const ErrorCode code : codes)
    if (text == name(code)) return code;
  return ErrorCode::internal;
}

// JSON has no infinity and no NaN, but the loss of a diverged model may be one of them.
Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}
double number_of(const Json& value) {
  return value.is_string() ? std::strtod(value.get<std::string>().c_str(), nullptr) : value.get<double>();
}

std::string text_of(const Json& answer, const char* key) {
  const auto found = answer.find(key);
  return found != answer.end() && found->is_string() ? found->get<std::string>() : std::string();
}

// The fields, for both directions. Paths are sent as absolute paths, because the child may have another working folder.
template <class Data, class F>
void each_field(Data& data, F f) {
  f("kind", data.kind);
  f("images", data.images);
  f("labels", data.labels);
  f("file", data.file);
  f("columns", data.columns);
  f("label", data.label);
  f("target", data.target);
  f("classes", data.classes);
  f("delimiter", data.delimiter);
  f("missing", data.missing);
  f("scale", data.scale);
  f("group", data.group);
  f("window", data.window);
  f("stride", data.stride);
  f("horizon", data.horizon);
  f("plugin", data.plugin);
  f("options", data.options);
  f("examples_max", data.examples_max);
}

template <class T>
Json wire_value(const T& value) {
  if constexpr (std::is_enum_v<T>) return static_cast<int>(value);
  else if constexpr (std::is_same_v<T, std::filesystem::path>) return absolute_path(value);
  else return value;
}

template <class T>
void read_value(const Json& json, T& value) {
  if constexpr (std::is_enum_v<T>) value = static_cast<T>(json.get<int>());
  else if constexpr (std::is_same_v<T, std::filesystem::path>) value = json.get<std::string>();
  else value = json.get<T>();
}

}  // namespace

std::string absolute_path(const std::filesystem::path& path) {
  std::error_code error;
  const auto absolute = std::filesystem::absolute(path, error);
  return (error || path.empty() ? path : absolute).string();
}

std::string line_of(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace) + "\n";
}

Result<Json> parse_line(std::string_view line, const std::string& location) {
  Json object = Json::parse(line, nullptr, false);
  if (!object.is_object())
    return fail(ErrorCode::internal, location, "sent a line that is not a JSON object");
  return object;
}

Json json_of(const Error& error) {
  return {{"ok", false},
          {"code", name(error.code)},
          {"location", error.location},
          {"what", error.what},
          {"hint", error.hint}};
}

Result<void> require_ok(const Json& answer, const std::string& location) {
  const auto ok = answer.find("ok");
  if (ok == answer.end() || !ok->is_boolean())
    return fail(ErrorCode::internal, location, "sent a line that is not an answer");
  if (ok->get<bool>()) return {};
  return tl::unexpected<Error>(Error{code_of(text_of(answer, "code")), text_of(answer, "location"),
                                     text_of(answer, "what"), text_of(answer, "hint")});
}

Json json_of(const learning::DataConfig& data) {
  Json out;
  each_field(data, [&](const char* name, const auto& value) { out[name] = wire_value(value); });
  return out;
}

learning::DataConfig data_of(const Json& data) {
  learning::DataConfig out;
  each_field(out, [&](const char* name, auto& value) { read_value(data.at(name), value); });
  return out;
}

Json json_of(const Metrics& metrics) {
  Json out = Json::array();
  for (const Metric& metric : metrics)
    out.push_back({{"name", metric.name}, {"sum", number(metric.sum)}, {"count", number(metric.count)}});
  return out;
}

Metrics metrics_of(const Json& metrics) {
  Metrics out;
  for (const Json& metric : metrics)
    out.push_back(
        {metric.at("name").get<std::string>(), number_of(metric.at("sum")), number_of(metric.at("count"))});
  return out;
}

}  // namespace hansa::server::internal
