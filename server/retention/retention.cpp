#include "server/retention/retention.h"

#include <algorithm>
#include <array>
#include <charconv>

namespace hansa::server {

Result<Retention> parse_retention(std::string_view text, const std::string& location) {
  constexpr std::uint32_t count_max = 1'000'000;
  if (text == "all") return Retention{};
  const std::size_t colon = text.find(':');
  const std::string_view kind = text.substr(0, colon);
  const std::string_view number = colon == std::string_view::npos ? "" : text.substr(colon + 1);
  Retention out;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), out.count);
  const bool counts =
      code == std::errc() && end == number.data() + number.size() && out.count > 0 && out.count <= count_max;
  if (kind == "last") out.keep = Retention::Keep::last;
  if (kind == "best") out.keep = Retention::Keep::best;
  if (kind == "every") out.keep = Retention::Keep::every;
  if (out.keep == Retention::Keep::all || !counts)
    return fail(ErrorCode::usage, location,
                "is \"" + std::string(text) + R"(", not "all", "last:N", "best:N" or "every:N")",
                "for example \"last:10\"; N is 1 to 1,000,000");
  return out;
}

Better better_of(std::string_view metric) {
  constexpr std::array<std::string_view, 3> parts{"loss", "error", "perplexity"};
  constexpr std::array<std::string_view, 3> names{"mse", "rmse", "mae"};
  const bool lower =
      std::ranges::any_of(
          parts, [&](std::string_view part) { return metric.find(part) != std::string_view::npos; }) ||
      std::ranges::find(names, metric) != names.end();
  return lower ? Better::lower : Better::higher;
}

}  // namespace hansa::server
