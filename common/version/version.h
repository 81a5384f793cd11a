// Which version of Hansa a program is, and from which commit of the sources it was built.
#pragma once
#include <string>
#include <string_view>

namespace hansa {

[[nodiscard]] std::string_view version() noexcept;  // "0.1.0": semantic versioning, CHANGELOG.md
[[nodiscard]] std::string_view commit() noexcept;  // "4e27c4d0a1b2", or "unknown"

// For --version: "hansa-client 0.1.0 (commit 4e27c4d0a1b2)", and with the version of the protocol that the program
// speaks "hansa-client 0.1.0 (commit 4e27c4d0a1b2, protocol 10)".
[[nodiscard]] std::string version_text(std::string_view program);
[[nodiscard]] std::string version_text(std::string_view program, unsigned protocol);

}  // namespace hansa
