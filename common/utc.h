// The time of day as a value. State machines are given it and never read a clock.
#pragma once
#include <compare>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace hansa {

// Seconds since 1970-01-01T00:00:00Z, without leap seconds.
struct UtcSeconds {
  std::uint64_t value = 0;
  friend auto operator<=>(const UtcSeconds&, const UtcSeconds&) = default;
};
inline constexpr UtcSeconds utc_never{~std::uint64_t{0}};

// The system's clock, which may be wrong: a device without a battery for its clock may start in 1970.
[[nodiscard]] UtcSeconds utc_seconds_now();
// "2026-11-29"; "never" for utc_never, and for what is after the year 9999.
[[nodiscard]] std::string date_text(UtcSeconds time);
// "2026-11-29T02:30:00Z", as in RFC 3339; "never" as above.
[[nodiscard]] std::string rfc3339_text(UtcSeconds time);
// Of rfc3339_text. Empty for any other text.
[[nodiscard]] std::optional<UtcSeconds> parse_rfc3339(std::string_view text);
// format: of strftime. Up to 63 bytes.
[[nodiscard]] std::string utc_text(UtcSeconds time, const char* format);

}  // namespace hansa
