// Who may ask for what: checks a request before anything is done for it. Pure: time is an argument; one thread.
#pragma once
#include <cstdint>
#include <deque>
#include <string>
#include <string_view>
#include <variant>

#include "common/bucket_table.h"
#include "common/token_bucket.h"
#include "server/http/internal/request_reader.h"
#include "server/http/message.h"
#include "server/http/server.h"

namespace hansa::http::internal {

// Whether the value of the header Host is an address, "localhost" or one of the names, with or without a port. Another name
// is that of a page that lets its name point here (DNS rebinding).
[[nodiscard]] bool is_own_host(std::string_view host, const std::vector<std::string>& names);
// Of X-Forwarded-For: the last address, which the proxy wrote; empty: there is none.
[[nodiscard]] std::string forwarded_address(std::string_view value);

class Access {
 public:
  explicit Access(const ServerConfig& config);

  struct Granted {
    Request request;
    bool is_head = false;
  };
  // peer: the address of the connection.
  [[nodiscard]] std::variant<Granted, Refusal> check(RawRequest&& raw, std::string_view peer, Instant now);
  [[nodiscard]] std::uint64_t wrong_tokens() const { return wrong_tokens_; }

 private:
  enum class Token : std::uint8_t { none, right, wrong, too_many };
  [[nodiscard]] bool is_own_origin(const RawRequest& raw) const;
  [[nodiscard]] Token check_token(const RawRequest& raw, std::string_view peer, Instant now);

  const ServerConfig& config_;
  BucketTable guesses_of_;  // by address
  TokenBucket guesses_;
  Instant all_limited_until_;
  // Addresses that had the right token lately: others' guesses do not lock them out.
  std::deque<std::string> known_;
  std::uint64_t wrong_tokens_ = 0;
};

}  // namespace hansa::http::internal
