#include "server/http/internal/target.h"

#include <array>
#include <utility>

#include "common/hex.h"
#include "common/text.h"

namespace hansa::http::internal {
namespace {

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

enum class Plus : bool { itself, space };  // what '+' means

std::optional<std::string> decode(std::string_view raw, Plus plus) {
  std::string out;
  out.reserve(raw.size());
  for (std::size_t i = 0; i < raw.size(); ++i) {
    char c = raw[i];
    if (c == '%') {
      std::array<std::uint8_t, 1> byte{};
      if (i + 2 >= raw.size() || !from_hex(raw.substr(i + 1, 2), byte)) return std::nullopt;
      c = static_cast<char>(byte[0]);
      i += 2;
    } else if (c <= ' ' || c >= 0x7f || c == '#') {  // also bytes above 0x7f, which are negative
      return std::nullopt;
    } else if (c == '+' && plus == Plus::space) {
      c = ' ';
    }
    if (is_control(c)) return std::nullopt;
    out += c;
  }
  if (!is_utf8(out)) return std::nullopt;
  return out;
}

// The path is split before it is decoded, so that an encoded slash cannot make a segment.
std::optional<std::string> decode_path(std::string_view raw) {
  std::string out;
  std::string_view rest = raw.substr(1);
  while (true) {
    const std::size_t end = rest.find('/');
    const auto segment = decode(rest.substr(0, end), Plus::itself);
    if (!segment || segment->find_first_of("/\\") != std::string::npos) return std::nullopt;
    const bool is_last = end == std::string_view::npos;
    if (*segment == "." || *segment == ".." || (segment->empty() && !is_last)) return std::nullopt;
    out += '/';
    out += *segment;
    if (is_last) return out;
    rest.remove_prefix(end + 1);
  }
}

}  // namespace

std::optional<Target> parse_target(std::string_view raw) {
  if (raw.empty() || raw.front() != '/') return std::nullopt;
  const std::size_t question = raw.find('?');
  auto path = decode_path(raw.substr(0, question));
  if (!path) return std::nullopt;
  Target out{std::move(*path), {}};
  if (question == std::string_view::npos) return out;
  std::string_view rest = raw.substr(question + 1);
  while (!rest.empty()) {
    const std::size_t end = rest.find('&');
    const std::string_view pair = rest.substr(0, end);
    const std::size_t equals = pair.find('=');
    auto name = decode(pair.substr(0, equals), Plus::space);
    auto value = equals == std::string_view::npos ? std::optional<std::string>("")
                                                  : decode(pair.substr(equals + 1), Plus::space);
    if (!name || !value || name->empty() || out.query.size() == query_parameters_max) return std::nullopt;
    if (!out.query.emplace(std::move(*name), std::move(*value)).second) return std::nullopt;
    rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
  }
  return out;
}

}  // namespace hansa::http::internal
