#include "client/join/first_start.h"

#include "client/config/client_variables.h"
#include "client/join/join.h"
#include "common/config/document.h"
#include "common/files.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client {
namespace {

namespace fs = std::filesystem;

constexpr std::size_t token_bytes_max = 4'096;
constexpr const char* data_from_variables =
    "# Environment variables set these keys: HANSA__DATA__KIND, HANSA__DATA__FILE, ...\n";

Result<std::string> read_token(const config::Document& document) {
  if (!document.has("join.token_file")) return document.text("join.token");
  if (document.has("join.token"))
    return fail(ErrorCode::usage, document.location("join.token"), "is set together with join.token_file",
                "keep one of the two");
  auto text = read_text_file(document.path("join.token_file"), token_bytes_max);
  if (!text)
    return fail(ErrorCode::usage, document.location("join.token_file"), text.error().text(),
                "write the line that \"hansa invite\" printed to this file");
  return text;
}

}  // namespace

Result<void> join_at_first_start(const fs::path& file, const config::Variables& variables,
                                 const std::function<void(const std::string&)>& on_note,
                                 const std::atomic<bool>& stop) {
  HANSA_TRY(const auto document, config::Document::parse("", file, join_schema(), variables));
  if (!document.has("join.token") && !document.has("join.token_file")) return {};
  std::error_code error;
  if (fs::exists(file, error)) {
    on_note("this device has joined already: its token is not used");
    return {};
  }
  if (error) return fail(ErrorCode::storage, file.string(), "cannot be looked up (" + error.message() + ")");
  if (file.filename() != "client.toml")
    return fail(ErrorCode::usage, file.string(), "does not exist, and a device that joins gets a client.toml",
                "name the file FOLDER/client.toml");
  HANSA_TRY(const std::string text, read_token(document));
  auto token = enrolment::parse_join_token(text);
  if (!token) {
    const bool is_file = document.has("join.token_file");
    return fail(ErrorCode::usage, document.location(is_file ? "join.token_file" : "join.token"),
                token.error().what, token.error().hint);
  }
  JoinPlan plan;
  plan.folder = file.has_parent_path() ? file.parent_path() : fs::path(".");
  plan.data = data_from_variables;
  plan.when_unreachable = WhenUnreachable::retry;
  if (const config::Variable* proxy = variables.find("aggregator.proxy")) {
    if (auto checked = transport::check_proxy(proxy->text); !checked)
      return fail(ErrorCode::usage, proxy->name, checked.error().what, checked.error().hint);
    plan.proxy = proxy->text;
  }
  on_note("joins federation " + token->federation + " at " + token->address);
  HANSA_TRY(const Joined joined, join(*token, plan, on_note, stop));
  on_note("joined as " + joined.name + "; the certificate holds until " + date_text(joined.expires));
  return {};
}

}  // namespace hansa::client
