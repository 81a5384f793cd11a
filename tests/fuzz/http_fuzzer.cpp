// Reads hostile HTTP requests, which everybody who reaches the dashboard's port may send. Properties: bytes mean the same
// however they are cut, and an accepted path cannot leave its folder.
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

#include "server/http/internal/access.h"
#include "server/http/internal/request_reader.h"
#include "server/http/internal/target.h"
#include "tests/fuzz/message_fuzzer.h"

namespace {

namespace http = hansa::http;
using http::internal::RawRequest;
using http::internal::Refusal;
using http::internal::RequestReader;

[[noreturn]] void fail(const char* what) {
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

http::ServerConfig make_config() {
  http::ServerConfig out;
  out.limits.header_bytes_max = 512;
  out.limits.target_bytes_max = 64;
  out.limits.body_bytes_max = 64;
  out.token = "0123456789abcdef0123456789abcdef";
  return out;
}

// What came of the bytes, as text.
std::string outcome(std::string_view bytes, std::size_t piece) {
  static const http::ServerConfig config = make_config();
  RequestReader reader(config.limits);
  http::internal::Access access(config);
  std::string out;
  for (std::size_t at = 0; at < bytes.size(); at += piece) {
    reader.feed(bytes.substr(at, piece));
    while (true) {
      auto next = reader.next();
      if (std::holds_alternative<RequestReader::NeedMore>(next)) break;
      if (const auto* refusal = std::get_if<Refusal>(&next)) return out + std::to_string(refusal->status);
      auto& raw = std::get<RawRequest>(next);
      out += raw.method + ' ' + raw.target + ' ' + raw.body + '\n';
      auto checked = access.check(std::move(raw), "127.0.0.1", hansa::Instant(std::chrono::hours(1)));
      if (const auto* granted = std::get_if<http::internal::Access::Granted>(&checked)) {
        const std::string& path = granted->request.path;
        if (!path.starts_with('/') || path.find("/../") != std::string::npos || path.ends_with("/..") ||
            path.find("//") != std::string::npos || path.find('\\') != std::string::npos ||
            path.find('\0') != std::string::npos)
          fail("an accepted path leaves its folder");
        out += path + '\n';
      }
    }
  }
  return out;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes(reinterpret_cast<const char*>(data), size);
  if (size == 0) return 0;
  if (outcome(bytes, size) != outcome(bytes, 1)) fail("the same bytes mean something else in pieces");
  return 0;
}
