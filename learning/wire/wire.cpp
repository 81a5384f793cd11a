#include "learning/wire/wire.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <new>

#include "common/text.h"

namespace hansa::learning {
namespace {

constexpr std::array codes{ErrorCode::usage,   ErrorCode::data,     ErrorCode::model,   ErrorCode::refused,
                           ErrorCode::network, ErrorCode::protocol, ErrorCode::storage, ErrorCode::resource,
                           ErrorCode::quorum,  ErrorCode::internal};

ErrorCode code_of(std::string_view text) {
  for (const ErrorCode code : codes)
    if (text == name(code)) return code;
  return ErrorCode::internal;
}

std::string text_of(const Json& answer, const char* key) {
  const auto found = answer.find(key);
  if (found == answer.end() || !found->is_string()) return {};
  std::string text = found->get<std::string>();
  text.resize(utf8_prefix(text, wire_text_bytes_max));
  return text;
}

// [code, [quantity, value], …]
Json json_of(const Reason& reason) {
  Json out = {static_cast<unsigned>(reason.code)};
  for (const ReasonNumber& number : reason.numbers)
    out.push_back({static_cast<unsigned>(number.quantity), number.value});
  return out;
}

// No reason if it is not of the form above, or not in the lists of common/reason.h.
Reason reason_of(const Json& answer) {
  const auto in_list = [](const Json& value, auto last) {
    return value.is_number_unsigned() && value.get<std::uint64_t>() <= static_cast<std::uint64_t>(last);
  };
  const auto found = answer.find("reason");
  if (found == answer.end() || !found->is_array() || found->empty()) return {};
  if (found->size() > 1 + reason_numbers_max || !in_list(found->front(), last_reason_code)) return {};
  Reason reason{static_cast<ReasonCode>(found->front().get<std::uint8_t>())};
  for (auto entry = found->begin() + 1; entry != found->end(); ++entry) {
    if (!entry->is_array() || entry->size() != 2 || !in_list((*entry)[0], last_quantity) ||
        !(*entry)[1].is_number_unsigned())
      return {};
    reason.numbers.push_back(
        {static_cast<Quantity>((*entry)[0].get<std::uint8_t>()), (*entry)[1].get<std::uint64_t>()});
  }
  return reason;
}

Error error_of(const Json& json) {
  return {code_of(text_of(json, "code")), text_of(json, "location"), text_of(json, "what"),
          text_of(json, "hint"), reason_of(json)};
}

// The fields, for both directions. Paths are sent as absolute paths, because the child may have another working folder.
template <class Data, class F>
void each_field(Data& data, F f) {
  f("kind", data.kind);
  f("images", data.images);
  f("labels", data.labels);
  f("file", data.file);
  f("class_folders", data.class_folders);
  f("columns", data.columns);
  f("label", data.label);
  f("target", data.target);
  f("classes", data.classes);
  f("delimiter", data.delimiter);
  f("missing", data.missing);
  f("missing_words", data.missing_words);
  f("scale", data.scale);
  f("group", data.group);
  f("window", data.window);
  f("stride", data.stride);
  f("horizon", data.horizon);
  f("size", data.size);
  f("color", data.color);
  f("augment", data.augment);
  f("sequences", data.sequences);
  f("length", data.length);
  f("query", data.query);
  f("tokenizer", data.tokenizer);
  f("rate", data.rate);
  f("features", data.features);
  f("mels", data.mels);
  f("damaged_max", data.damaged_max);
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

std::string frame_of(const Json& object) {
  return object.dump(-1, ' ', false, Json::error_handler_t::replace);
}

Result<Json> parse_frame(std::string_view frame, const std::string& location) {
  Json object = Json::parse(frame, nullptr, false);
  if (!object.is_object())
    return fail(ErrorCode::internal, location, "sent a message that is not a JSON object");
  return object;
}

// JSON has no infinity and no NaN, but the loss of a diverged model may be one of them.
Json number(double value) {
  if (std::isfinite(value)) return value;
  return std::isnan(value) ? "nan" : value > 0 ? "inf" : "-inf";
}

double number_of(const Json& value) {
  return value.is_string() ? std::strtod(value.get<std::string>().c_str(), nullptr) : value.get<double>();
}

Json json_of(const Error& error) {
  return {{"ok", false},        {"code", name(error.code)}, {"location", error.location},
          {"what", error.what}, {"hint", error.hint},       {"reason", json_of(error.reason)}};
}

std::string answer_of(const std::function<Result<Json>()>& handle, const Error& out_of_memory) {
  try {
    const Result<Json> answer = handle();
    return frame_of(answer ? *answer : json_of(answer.error()));
  } catch (const std::bad_alloc&) {
    return frame_of(json_of(out_of_memory));
  } catch (const std::exception& caught) {
    return frame_of(json_of(Error{ErrorCode::internal, "request", caught.what(), ""}));
  }
}

Result<void> require_ok(const Json& answer, const std::string& location) {
  const auto ok = answer.find("ok");
  if (ok == answer.end() || !ok->is_boolean())
    return fail(ErrorCode::internal, location, "sent a message that is not an answer");
  if (ok->get<bool>()) return {};
  return tl::unexpected<Error>(error_of(answer));
}

std::vector<Error> errors_of(const Json& errors) {
  if (!errors.is_array() || errors.size() > wire_errors_max)
    throw Json::other_error::create(501, "no list of errors, or too many", nullptr);
  std::vector<Error> out;
  for (const Json& error : errors) out.push_back(error_of(error));
  return out;
}

Result<Json> parse_answer(std::string_view frame, const std::string& location) {
  HANSA_TRY(Json answer, parse_frame(frame, location));
  HANSA_TRY_VOID(require_ok(answer, location));
  return answer;
}

Json json_of(const DataConfig& data) {
  Json out;
  each_field(data, [&](const char* name, const auto& value) { out[name] = wire_value(value); });
  return out;
}

DataConfig data_of(const Json& data) {
  DataConfig out;
  each_field(out, [&](const char* name, auto& value) { read_value(data.at(name), value); });
  return out;
}

Json json_of(const ExampleShape& shape) {
  const auto list = [](const std::vector<TensorSpec>& specs) {
    Json out = Json::array();
    for (const TensorSpec& spec : specs)
      out.push_back({{"name", spec.name},
                     {"type", name(spec.type)},
                     {"shape", spec.shape},
                     {"classes", spec.class_count}});
    return out;
  };
  return {{"inputs", list(shape.inputs)}, {"targets", list(shape.targets)}};
}

ElementType type_of(const Json& name) {
  const auto type = element_type_of(name.get<std::string>());
  if (!type) throw Json::other_error::create(501, "an unknown type of a tensor", nullptr);
  return *type;
}

ExampleShape shape_of(const Json& shape) {
  const auto list = [&shape](const char* key) {
    std::vector<TensorSpec> out;
    for (const Json& spec : shape.at(key))
      out.push_back({spec.at("name").get<std::string>(), type_of(spec.at("type")),
                     spec.at("shape").get<std::vector<std::int64_t>>(),
                     spec.at("classes").get<std::int64_t>()});
    return out;
  };
  return {list("inputs"), list("targets")};
}

Json json_of(DataDescription description) {
  limit_names(description);
  Json ranges = Json::array();
  for (const ValueRange& range : description.ranges) ranges.push_back({range.least, range.most});
  Json inputs = Json::array();
  for (const TensorDescription& input : description.inputs)
    inputs.push_back({{"name", input.name}, {"type", name(input.type)}, {"shape", input.shape}});
  return {{"inputs", std::move(inputs)},
          {"target", static_cast<int>(description.target)},
          {"class_count", description.class_count},
          {"columns", std::move(description.columns)},
          {"label", std::move(description.label)},
          {"classes", std::move(description.classes)},
          {"ranges", std::move(ranges)},
          {"missing", std::move(description.missing)},
          {"rows_skipped", description.rows_skipped},
          {"preparation", std::move(description.preparation)}};
}

DataDescription description_of(const Json& description) {
  constexpr std::size_t rank_max = 16, inputs_max = 64;
  const auto wrong = [](const char* what) { throw Json::other_error::create(501, what, nullptr); };
  DataDescription out;
  for (const Json& input : description.at("inputs")) {
    out.inputs.push_back({input.at("name").get<std::string>(), type_of(input.at("type")),
                          input.at("shape").get<std::vector<std::int64_t>>()});
    const TensorDescription& read = out.inputs.back();
    if (out.inputs.size() > inputs_max || read.name.size() > wire_text_bytes_max ||
        read.shape.size() > rank_max ||
        std::ranges::any_of(read.shape, [](std::int64_t size) { return size < 1; }))
      wrong("an input that no example has");
  }
  if (out.inputs.empty()) wrong("no input");
  const auto target = description.at("target").get<int>();
  if (target < 0 || target > static_cast<int>(TargetType::none)) wrong("an unknown kind of target");
  out.target = static_cast<TargetType>(target);
  out.class_count = description.at("class_count").get<std::uint64_t>();
  out.columns = description.at("columns").get<std::vector<std::string>>();
  out.label = description.at("label").get<std::string>();
  out.classes = description.at("classes").get<std::vector<std::string>>();
  for (const Json& range : description.at("ranges"))
    out.ranges.push_back({range.at(0).get<double>(), range.at(1).get<double>()});
  out.missing = description.at("missing").get<std::vector<std::uint64_t>>();
  out.rows_skipped = description.at("rows_skipped").get<std::uint64_t>();
  out.preparation = description.at("preparation").get<std::string>();
  if (out.preparation.size() > described_preparation_max) wrong("a preparation that is too long");
  DataDescription limited = out;
  limit_names(limited);
  if (limited != out || (!out.ranges.empty() && out.ranges.size() != out.columns.size()) ||
      (!out.missing.empty() && out.missing.size() != out.columns.size()))
    wrong("a description that is too large or inconsistent");
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
  for (const Json& metric : metrics) {
    out.push_back(
        {metric.at("name").get<std::string>(), number_of(metric.at("sum")), number_of(metric.at("count"))});
    if (out.size() > wire_metrics_max || out.back().name.size() > wire_text_bytes_max)
      throw Json::other_error::create(501, "too many metrics, or a name that is too long", nullptr);
  }
  return out;
}

}  // namespace hansa::learning
