#include "protocols/codecs/spec.h"

#include <charconv>
#include <cmath>
#include <optional>

namespace hansa::codecs {
namespace {

constexpr const char* known =
    "use f32, f16, bf16, q1 to q8, q1-rotated to q8-rotated, topk(0.01, q4), randk(0.1, q8), sign "
    "or lowrank(4)";

void skip_spaces(std::string_view& text) {
  while (!text.empty() && text.front() == ' ') text.remove_prefix(1);
}
bool take(std::string_view& text, std::string_view expected) {
  skip_spaces(text);
  if (!text.starts_with(expected)) return false;
  text.remove_prefix(expected.size());
  return true;
}
template <class Number>
bool take_number(std::string_view& text, Number& out) {
  skip_spaces(text);
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
  if (error != std::errc()) return false;
  text.remove_prefix(static_cast<std::size_t>(end - text.data()));
  return true;
}
bool take_bits(std::string_view& text, std::uint8_t& bits) {
  return take(text, "q") && take_number(text, bits);
}

std::optional<Spec> read(std::string_view text) {
  Spec out;
  const auto sparse = [&](Kind kind) {
    out.kind = kind;
    return take_number(text, out.fraction) && take(text, ",") && take_bits(text, out.bits) && take(text, ")");
  };
  bool read = true;
  if (take(text, "f32")) out.kind = Kind::f32;
  else if (take(text, "f16")) out.kind = Kind::f16;
  else if (take(text, "bf16")) out.kind = Kind::bf16;
  else if (take(text, "sign")) out.kind = Kind::sign;
  else if (take(text, "topk(")) read = sparse(Kind::topk);
  else if (take(text, "randk(")) read = sparse(Kind::randk);
  else if (take(text, "lowrank(")) {
    out.kind = Kind::lowrank;
    read = take_number(text, out.rank) && take(text, ")");
  } else if (take_bits(text, out.bits)) {
    out.kind = take(text, "-rotated") ? Kind::rotated : Kind::quantised;
  } else {
    read = false;
  }
  skip_spaces(text);
  if (!read || !text.empty()) return std::nullopt;
  return out;
}

}  // namespace

Result<Spec> parse_spec(std::string_view text, std::string_view location) {
  const auto out = read(text);
  if (!out)
    return fail(ErrorCode::usage, std::string(location), "is not a codec: \"" + std::string(text) + "\"",
                known);
  if (auto valid = check(*out); !valid)
    return fail(ErrorCode::usage, std::string(location),
                "\"" + std::string(text) + "\" " + valid.error().what, known);
  return *out;
}

std::string text_of(const Spec& spec) {
  const std::string bits = "q" + std::to_string(spec.bits);
  const auto sparse = [&](const char* name) {
    std::string fraction(32, '\0');
    fraction.resize(static_cast<std::size_t>(
        std::to_chars(fraction.data(), fraction.data() + fraction.size(), spec.fraction).ptr -
        fraction.data()));
    return std::string(name) + "(" + fraction + ", " + bits + ")";
  };
  switch (spec.kind) {
    case Kind::f32: return "f32";
    case Kind::f16: return "f16";
    case Kind::bf16: return "bf16";
    case Kind::quantised: return bits;
    case Kind::rotated: return bits + "-rotated";
    case Kind::topk: return sparse("topk");
    case Kind::randk: return sparse("randk");
    case Kind::sign: return "sign";
    case Kind::lowrank: return "lowrank(" + std::to_string(spec.rank) + ")";
  }
  return "";
}

Result<void> check(const Spec& spec) {
  const auto wrong = [](const char* what) { return fail(ErrorCode::usage, "codec", what); };
  const bool has_bits = spec.kind == Kind::quantised || spec.kind == Kind::rotated ||
                        spec.kind == Kind::topk || spec.kind == Kind::randk;
  if (has_bits && (spec.bits < 1 || spec.bits > 8)) return wrong("needs 1 to 8 bits");
  const bool has_fraction = spec.kind == Kind::topk || spec.kind == Kind::randk;
  if (has_fraction && !(spec.fraction > 0 && spec.fraction <= 1))
    return wrong("needs a fraction above 0, at most 1");
  if (spec.kind == Kind::lowrank && (spec.rank < 1 || spec.rank > rank_max))
    return wrong("needs a rank of 1 to 1024");
  return {};
}

bool has_error_feedback(const Spec& spec) {
  return spec.kind == Kind::topk || spec.kind == Kind::sign || spec.kind == Kind::lowrank;
}

}  // namespace hansa::codecs
