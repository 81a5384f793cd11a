#include "learning/data/kinds/jsonl/object_reader.h"

#include <algorithm>
#include <limits>
#include <utility>

#include <nlohmann/json.hpp>

#include "common/text.h"
#include "learning/data/kinds/jsonl/number_array.h"

namespace hansa::learning::kinds {
namespace {

using Json = nlohmann::json;
using Form = JsonValue::Form;

constexpr std::size_t keys_max = 65'536;

// A handler of the events of nlohmann's parser: each function returns whether to continue.
class Handler : public Json::json_sax_t {
 public:
  explicit Handler(std::string_view text) : text_(text) {}
  std::optional<InvalidObject> invalid;

  bool binary(Json::binary_t& /*value*/) override { return false; }  // JSON has none
  bool parse_error(std::size_t position, const std::string& /*token*/,
                   const nlohmann::detail::exception& error) override {
    constexpr int number_out_of_range = 406;
    if (error.id == number_out_of_range)
      return refuse({"has a number that is too large", "correct the line", ReasonCode::value_invalid});
    const std::string_view around =
        text_.substr(std::min(position - std::min<std::size_t>(position, 3), text_.size()), 8);
    if (around.find("NaN") != std::string_view::npos || around.find("Infi") != std::string_view::npos)
      return refuse({"has NaN or Infinity at character " + std::to_string(position),
                     "leave the line out, or write a number: JSON has neither", ReasonCode::value_invalid});
    return refuse({"is not JSON from character " + std::to_string(position),
                   "write one JSON object in each line, in UTF-8", ReasonCode::data_damaged});
  }

 protected:
  bool refuse(internal::InvalidValue problem, std::optional<std::size_t> column = std::nullopt) {
    if (!invalid) invalid = InvalidObject{std::move(problem), column};
    return false;
  }
  bool refuse_other_than_object() {
    return refuse({"is not a JSON object", "write one JSON object in each line", ReasonCode::data_damaged});
  }
  // Of arrays and objects.
  bool enter() {
    if (++depth_ <= json_nesting_max) return true;
    return refuse(
        {"nests arrays and objects more than 64 levels deep", "flatten it", ReasonCode::value_invalid});
  }
  bool leave() {
    --depth_;
    return true;
  }
  [[nodiscard]] std::size_t depth() const { return depth_; }

 private:
  std::string_view text_;
  std::size_t depth_ = 0;  // 1: in the object of the line
};

class ValueHandler final : public Handler {
 public:
  ValueHandler(std::string_view text, const std::unordered_map<std::string, std::size_t>& names,
               OtherKeys other_keys, std::span<JsonValue> values)
      : Handler(text), names_(names), other_keys_(other_keys), values_(values) {}

  bool null() override { return scalar(Form::null, 0, std::nullopt, {}); }
  bool boolean(bool value) override {
    return scalar(Form::boolean, value ? 1 : 0, value ? 1 : 0, value ? "true" : "false");
  }
  bool number_integer(std::int64_t value) override {
    return scalar(Form::number, static_cast<double>(value), value, std::to_string(value));
  }
  bool number_unsigned(std::uint64_t value) override {
    const bool fits = value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max());
    return scalar(Form::number, static_cast<double>(value),
                  fits ? std::optional(static_cast<std::int64_t>(value)) : std::nullopt,
                  std::to_string(value));
  }
  bool number_float(double value, const std::string& written) override {
    return scalar(Form::number, value, std::nullopt, written);
  }
  bool string(std::string& value) override { return scalar(Form::text, 0, std::nullopt, std::move(value)); }

  bool key(std::string& name) override {
    if (depth() != 1) return true;
    const auto found = names_.find(name);
    column_.reset();
    if (found == names_.end()) {
      if (other_keys_ == OtherKeys::passed) return true;
      return refuse(
          {"has the column \"" + printable(name.substr(0, 80)) + "\", which the first line does not have",
           "list the inputs in data.columns", ReasonCode::column_missing});
    }
    column_ = found->second;
    if (values_[*column_].form == Form::absent) return true;
    return refuse({"is there twice", "write it once", ReasonCode::value_invalid}, column_);
  }

  bool start_object(std::size_t /*size*/) override {
    if (depth() > 0 && column_)
      return refuse(
          {"is an object, which no input takes", "list other data.columns", ReasonCode::value_invalid},
          column_);
    return enter();
  }
  bool end_object() override { return leave(); }

  bool start_array(std::size_t /*size*/) override {
    if (depth() == 0) return refuse_other_than_object();
    if (!column_) return enter();
    if (depth() == 1) {
      values_[*column_].form = Form::array;
      array_.emplace(values_[*column_]);
    }
    return accept(array_->begin()) && enter();
  }
  bool end_array() override {
    if (column_ && !accept(array_->end())) return false;
    return leave();
  }

 private:
  bool accept(std::optional<internal::InvalidValue> problem) {
    return !problem || refuse(*std::move(problem), column_);
  }

  bool scalar(Form form, double number, std::optional<std::int64_t> integer, std::string text) {
    if (depth() == 0) return refuse_other_than_object();
    if (!column_) return true;
    if (depth() > 1) {
      if (form == Form::number || form == Form::boolean) return accept(array_->add(number, integer));
      return refuse(
          {std::string("is an array with ") + (form == Form::null ? "null" : "a text") + " in it",
           "write numbers", form == Form::null ? ReasonCode::value_missing : ReasonCode::value_invalid},
          column_);
    }
    JsonValue& value = values_[*column_];
    value.form = form;
    value.number = number;
    value.text = std::move(text);
    return true;
  }

  const std::unordered_map<std::string, std::size_t>& names_;
  OtherKeys other_keys_;
  std::span<JsonValue> values_;
  std::optional<std::size_t> column_;  // of the value that is read; empty: it is skipped
  std::optional<NumberArray> array_;
};

class KeyHandler final : public Handler {
 public:
  using Handler::Handler;
  std::vector<std::string> keys;

  bool null() override { return scalar(); }
  bool boolean(bool /*value*/) override { return scalar(); }
  bool number_integer(std::int64_t /*value*/) override { return scalar(); }
  bool number_unsigned(std::uint64_t /*value*/) override { return scalar(); }
  bool number_float(double /*value*/, const std::string& /*written*/) override { return scalar(); }
  bool string(std::string& /*value*/) override { return scalar(); }
  bool start_object(std::size_t /*size*/) override { return enter(); }
  bool end_object() override { return leave(); }
  bool start_array(std::size_t /*size*/) override {
    return depth() == 0 ? refuse_other_than_object() : enter();
  }
  bool end_array() override { return leave(); }
  bool key(std::string& name) override {
    if (depth() != 1) return true;
    if (keys.size() == keys_max)
      return refuse({"has more than 65,536 columns", "put values that belong together into one array",
                     ReasonCode::data_too_large});
    keys.push_back(std::move(name));
    return true;
  }

 private:
  bool scalar() { return depth() > 0 || refuse_other_than_object(); }
};

// Why the text is refused, if it is.
std::optional<InvalidObject> parse(std::string_view text, Handler& handler) {
  if (Json::sax_parse(text.begin(), text.end(), &handler)) return std::nullopt;
  return std::move(handler.invalid);
}

}  // namespace

ObjectReader::ObjectReader(std::span<const std::string> names, OtherKeys other_keys)
    : other_keys_(other_keys), values_(names.size()) {
  for (std::size_t i = 0; i < names.size(); ++i) names_.emplace(names[i], i);
}

tl::expected<void, InvalidObject> ObjectReader::read(std::string_view text) {
  for (JsonValue& value : values_) {
    value.form = Form::absent;
    value.shape.clear();
    value.reals.clear();
    value.integers.clear();
  }
  ValueHandler handler(text, names_, other_keys_, values_);
  if (auto invalid = parse(text, handler)) return tl::unexpected(*std::move(invalid));
  return {};
}

tl::expected<std::vector<std::string>, InvalidObject> keys_of(std::string_view text) {
  KeyHandler handler(text);
  if (auto invalid = parse(text, handler)) return tl::unexpected(*std::move(invalid));
  return std::move(handler.keys);
}

}  // namespace hansa::learning::kinds
