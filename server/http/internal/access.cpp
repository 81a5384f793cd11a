#include "server/http/internal/access.h"

#include <algorithm>
#include <cctype>
#include <utility>

#include <openssl/crypto.h>
#include <openssl/sha.h>

#include "common/text.h"
#include "protocols/transport/address_network.h"
#include "server/http/internal/target.h"
#include "server/http/listen_address.h"

namespace hansa::http::internal {
namespace {

constexpr std::size_t known_max = 64;

std::string lower(std::string_view text) {
  std::string out(text);
  std::ranges::transform(out, out.begin(),
                         [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return out;
}

bool is_port(std::string_view text) {
  return !text.empty() && text.size() <= 5 && text.find_first_not_of("0123456789") == std::string_view::npos;
}

// Of the digests, so that the time tells nothing about the token, nor about its length.
bool is_equal(std::string_view a, std::string_view b) {
  unsigned char first[SHA256_DIGEST_LENGTH], second[SHA256_DIGEST_LENGTH];
  ::SHA256(reinterpret_cast<const unsigned char*>(a.data()), a.size(), first);
  ::SHA256(reinterpret_cast<const unsigned char*>(b.data()), b.size(), second);
  return ::CRYPTO_memcmp(first, second, sizeof(first)) == 0;
}

bool is_json(const std::optional<std::string>& content_type) {
  if (!content_type) return false;
  const std::string type = lower(*content_type);
  return trimmed(type.substr(0, type.find(';'))) == "application/json";
}

bool is_in(std::string_view path, std::string_view folder) {
  return path.starts_with(folder) && (path.size() == folder.size() || path[folder.size()] == '/');
}

// The page itself and the health checks hold no secret.
bool is_data(std::string_view path) { return is_in(path, "/api") || is_in(path, "/metrics"); }

}  // namespace

bool is_own_host(std::string_view host, const std::vector<std::string>& names) {
  std::string_view name = host;
  if (host.starts_with('[')) {
    const std::size_t end = host.find(']');
    if (end == std::string_view::npos) return false;
    name = host.substr(1, end - 1);
    const std::string_view rest = host.substr(end + 1);
    if (!rest.empty() && (rest.front() != ':' || !is_port(rest.substr(1)))) return false;
    return name.find(':') != std::string_view::npos && is_ip_address(name);
  }
  if (const std::size_t colon = host.find(':'); colon != std::string_view::npos) {
    if (!is_port(host.substr(colon + 1))) return false;
    name = host.substr(0, colon);
  }
  if (is_ip_address(name)) return true;
  const std::string wanted = lower(name);
  return wanted == "localhost" ||
         std::ranges::any_of(names, [&](const std::string& own) { return lower(own) == wanted; });
}

std::string forwarded_address(std::string_view value) {
  const std::size_t comma = value.rfind(',');
  const auto last = trimmed(comma == std::string_view::npos ? value : value.substr(comma + 1));
  return is_ip_address(last) ? std::string(last) : std::string();
}

Access::Access(const ServerConfig& config)
    : config_(config),
      guesses_of_({static_cast<double>(config.limits.wrong_tokens_per_address),
                   1 / seconds(config.limits.token_interval)}),
      guesses_({static_cast<double>(config.limits.wrong_tokens), 1 / seconds(config.limits.token_interval)}) {
}

bool Access::is_own_origin(const RawRequest& raw) const {
  if (!raw.origin) return true;
  const std::string origin = lower(*raw.origin), host = lower(raw.host);
  const bool may_be_https = config_.tls || config_.behind_proxy;
  return (!config_.tls && origin == "http://" + host) || (may_be_https && origin == "https://" + host);
}

Access::Token Access::check_token(const RawRequest& raw, std::string_view peer, Instant now) {
  if (!raw.authorization) return Token::none;
  const bool is_known = std::ranges::find(known_, peer) != known_.end();
  if (!guesses_of_.allows(peer, now) || (!is_known && now < all_limited_until_)) return Token::too_many;
  constexpr std::string_view scheme = "bearer ";
  const bool is_bearer = lower(raw.authorization->substr(0, scheme.size())) == scheme;
  const auto given = trimmed(std::string_view(*raw.authorization).substr(is_bearer ? scheme.size() : 0));
  if (is_equal(given, config_.token) && is_bearer && !config_.token.empty()) {
    if (!is_known) known_.emplace_back(peer);
    if (known_.size() > known_max) known_.pop_front();
    return Token::right;
  }
  ++wrong_tokens_;
  (void)guesses_of_.take(peer, now);
  if (!guesses_.take(now)) all_limited_until_ = now + config_.limits.token_interval;
  return Token::wrong;
}

std::variant<Access::Granted, Refusal> Access::check(RawRequest&& raw, std::string_view peer, Instant now) {
  if (raw.method != "GET" && raw.method != "HEAD" && raw.method != "POST")
    return Refusal{405, "method", "the server knows GET, HEAD and POST", {}, "GET, HEAD, POST"};
  if (raw.method != "POST" && !raw.body.empty())
    return Refusal{400, "malformed", "a request of this method has no body"};
  if (!is_own_host(raw.host, config_.names))
    return Refusal{421, "host", "the header Host has a name that is not this server's",
                   "use the address, or add the name to [dashboard] names"};
  if (!is_own_origin(raw)) return Refusal{403, "origin", "the request comes from a page of another origin"};
  auto target = parse_target(raw.target);
  if (!target) return Refusal{400, "target", "the address of the request is not valid"};
  const bool is_about_data = is_data(target->path);
  if (is_about_data && raw.fetch_site && *raw.fetch_site != "same-origin" && *raw.fetch_site != "none")
    return Refusal{403, "origin", "the request comes from a page of another origin"};

  std::string address(peer);
  if (config_.behind_proxy)
    if (std::string forwarded = forwarded_address(raw.forwarded_for); !forwarded.empty())
      address = transport::network_of(forwarded);
  const Token token = check_token(raw, address, now);
  if (token == Token::too_many)
    return Refusal{429,
                   "too_many_tokens",
                   "too many wrong tokens were sent",
                   "wait, and use the token in [dashboard] token_file",
                   {},
                   static_cast<std::uint32_t>(seconds(config_.limits.token_interval)) + 1};
  if (token == Token::wrong)
    return Refusal{401, "token", "the token is not right", "it is in the file [dashboard] token_file"};
  const bool needs_token = raw.method == "POST" || (is_about_data && config_.token_for_reading);
  if (needs_token && token != Token::right)
    return Refusal{401, "token", "this needs the operator's token", "send \"Authorization: Bearer TOKEN\""};
  if (raw.method == "POST" && !is_json(raw.content_type))
    return Refusal{415, "content_type", "the body must have the type application/json"};

  Granted out;
  out.is_head = raw.method == "HEAD";
  out.request = {out.is_head ? "GET" : std::move(raw.method), std::move(target->path),
                 std::move(target->query), std::move(raw.body), token == Token::right};
  return out;
}

}  // namespace hansa::http::internal
