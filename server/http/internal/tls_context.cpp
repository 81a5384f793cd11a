#include "server/http/internal/tls_context.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include <sys/stat.h>

namespace hansa::http::internal {
namespace {

namespace ssl = boost::asio::ssl;

Result<std::unique_ptr<ssl::context>> make_context(const TlsFiles& files) {
  auto out = std::make_unique<ssl::context>(ssl::context::tls_server);
  boost::system::error_code error;
  out->set_options(ssl::context::default_workarounds | ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 |
                       ssl::context::no_compression,
                   error);
  if (!error) out->use_certificate_chain_file(files.certificate.string(), error);
  if (error)
    return fail(ErrorCode::usage, files.certificate.string(),
                "is no certificate for TLS in PEM (" + error.message() + ")",
                "set [dashboard] tls_certificate to a file with the certificate and its chain");
  out->use_private_key_file(files.key.string(), ssl::context::pem, error);
  if (error || ::SSL_CTX_check_private_key(out->native_handle()) != 1)
    return fail(ErrorCode::usage, files.key.string(), "is not the key of the certificate, in PEM",
                "set [dashboard] tls_key to the certificate's private key");
  return out;
}

// Two writes within a tick of the file system's clock have the same time, and certificate and key are two files, of which
// one is renewed first: what was written just now is read again at the next connection.
constexpr std::int64_t settled_after_seconds = 2;

}  // namespace

Result<TlsContext> TlsContext::open(TlsFiles files) {
  TlsContext out(std::move(files));
  HANSA_TRY(out.context_, make_context(out.files_));
  return out;
}

TlsContext::Stamp TlsContext::stamp() const {
  Stamp out;
  const std::array paths{&files_.certificate, &files_.key};
  for (std::size_t i = 0; i < out.size(); ++i) {
    struct stat status {};
    if (::stat(paths[i]->c_str(), &status) != 0) continue;
    out[i] = {status.st_dev, status.st_ino, static_cast<std::uint64_t>(status.st_size), status.st_mtim.tv_sec,
              status.st_mtim.tv_nsec};
  }
  return out;
}

ssl::context& TlsContext::current(const std::function<void(const std::string&)>& log) {
  const Stamp now = stamp();
  if (read_at_ == now) return *context_;
  const auto clock =
      std::chrono::duration_cast<std::chrono::seconds>(std::chrono::system_clock::now().time_since_epoch());
  const std::int64_t newest = std::max(now[0].seconds, now[1].seconds);
  const bool is_settled = newest + settled_after_seconds < clock.count();
  auto made = make_context(files_);
  if (made) context_ = std::move(*made);
  if (!is_settled) return *context_;
  read_at_ = now;
  if (!made) log("the TLS certificate stays as it was: " + made.error().text());
  return *context_;
}

}  // namespace hansa::http::internal
