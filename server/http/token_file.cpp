#include "server/http/token_file.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/entropy.h"
#include "common/files.h"
#include "common/text.h"

namespace hansa::http {
namespace {

constexpr std::size_t token_chars_min = 32, token_chars_max = 256;

bool is_token(std::string_view text) {
  return text.size() >= token_chars_min && text.size() <= token_chars_max &&
         std::ranges::all_of(text, [](char c) {
           return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
                  c == '_';
         });
}

Result<std::string> make_token(const std::filesystem::path& file) {
  std::string token;
  for (int i = 0; i < 4; ++i) {
    HANSA_TRY(const auto number, unpredictable_number());
    token += fmt::format("{:016x}", number);
  }
  HANSA_TRY_VOID(write_file_atomically(file, token + "\n", FileAccess::owner_only));
  return token;
}

}  // namespace

Result<std::string> read_or_make_token(const std::filesystem::path& file) {
  std::error_code error;
  const auto status = std::filesystem::status(file, error);
  if (status.type() == std::filesystem::file_type::not_found) return make_token(file);
  using std::filesystem::perms;
  if (!error && (status.permissions() & (perms::group_all | perms::others_all)) != perms::none)
    return fail(ErrorCode::usage, file.string(), "is the dashboard's token, and others may read or write it",
                "run \"chmod 600 " + file.string() + "\", or remove the file: a new one is made");
  HANSA_TRY(const std::string contents, read_text_file(file, 4'096));
  const std::string token(trimmed(contents));
  if (!is_token(token))
    return fail(ErrorCode::usage, file.string(),
                "holds no token for the dashboard: 32 to 256 letters, digits, '-' and '_'",
                "remove the file: a new one is made");
  return token;
}

}  // namespace hansa::http
