// The files that the build put into the program: cmake/HansaEmbed.cmake writes the table.
#pragma once
#include <span>
#include <string_view>

namespace hansa::http::internal {

struct EmbeddedFile {
  std::string_view path;  // from the root: "/index.html"
  std::string_view bytes;
};

[[nodiscard]] std::span<const EmbeddedFile> embedded_files();

}  // namespace hansa::http::internal
