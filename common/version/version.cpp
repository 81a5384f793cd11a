#include "common/version/version.h"

namespace hansa {
namespace {

std::string text_of(std::string_view program, const std::string& more) {
  return std::string(program) + " " + std::string(version()) + " (commit " + std::string(commit()) + more +
         ")";
}

}  // namespace

std::string_view version() noexcept { return HANSA_VERSION; }

std::string version_text(std::string_view program) { return text_of(program, ""); }

std::string version_text(std::string_view program, unsigned protocol) {
  return text_of(program, ", protocol " + std::to_string(protocol));
}

}  // namespace hansa
