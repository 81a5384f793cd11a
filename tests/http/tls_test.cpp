#include <chrono>
#include <filesystem>
#include <mutex>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <openssl/pem.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include "common/files.h"
#include "tests/http/test_server.h"
#include "tests/temporary_folder.h"

namespace hansa::http {
namespace {

using testing::HasSubstr;

template <class T, void (*Free)(T*)>
struct Freed {
  void operator()(T* p) const { Free(p); }
};
using Key = std::unique_ptr<EVP_PKEY, Freed<EVP_PKEY, EVP_PKEY_free>>;
using Certificate = std::unique_ptr<X509, Freed<X509, X509_free>>;

Key make_key() { return Key(EVP_EC_gen("P-256")); }

void write_key(const Key& key, const std::filesystem::path& path) {
  FILE* const file = std::fopen(path.c_str(), "w");
  PEM_write_PrivateKey(file, key.get(), nullptr, nullptr, 0, nullptr, nullptr);
  std::fclose(file);
}

// Signed by itself.
void write_certificate(const Key& key, const std::filesystem::path& path, long serial = 1) {
  const Certificate certificate(X509_new());
  ASN1_INTEGER_set(X509_get_serialNumber(certificate.get()), serial);
  X509_gmtime_adj(X509_getm_notBefore(certificate.get()), 0);
  X509_gmtime_adj(X509_getm_notAfter(certificate.get()), 3'600);
  X509_set_pubkey(certificate.get(), key.get());
  X509_sign(certificate.get(), key.get(), EVP_sha256());
  FILE* const file = std::fopen(path.c_str(), "w");
  PEM_write_X509(file, certificate.get());
  std::fclose(file);
}

struct Files {
  TemporaryFolder folder;
  TlsFiles tls{folder / "certificate.pem", folder / "key.pem"};
  Files() {
    const Key key = make_key();
    write_key(key, tls.key);
    write_certificate(key, tls.certificate);
  }
};

// Sends over TLS with at most this version, and reads everything. Empty: there is no connection.
std::string ask(const std::string& address, const std::string& bytes, int version_max = TLS1_3_VERSION) {
  const std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  SSL_CTX_set_security_level(context.get(), 0);
  SSL_CTX_set_min_proto_version(context.get(), 0);
  SSL_CTX_set_max_proto_version(context.get(), version_max);
  const std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> bio(BIO_new_ssl_connect(context.get()));
  BIO_set_conn_hostname(bio.get(), address.c_str());
  if (BIO_do_connect(bio.get()) <= 0 ||
      BIO_write(bio.get(), bytes.data(), static_cast<int>(bytes.size())) <= 0)
    return {};
  std::string out;
  char piece[4'096];
  for (int n = 0; (n = BIO_read(bio.get(), piece, sizeof piece)) > 0;)
    out.append(piece, static_cast<std::size_t>(n));
  return out;
}

const std::string get_x = "GET /x HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";

TEST(Tls, RequestsAreAnswered) {
  const Files files;
  TestServer server({}, [&](ServerConfig& config) { config.tls = files.tls; });
  const std::string response = ask(server->address(), get_x);
  EXPECT_THAT(response, HasSubstr("HTTP/1.1 200 OK\r\n"));
  EXPECT_TRUE(response.ends_with("GET /x "));
  EXPECT_THAT(ask(server->address(), get_x, TLS1_2_VERSION), HasSubstr("200 OK"));
}

TEST(Tls, OlderVersionsAndPlainTextAreRefused) {
  const Files files;
  TestServer server({}, [&](ServerConfig& config) { config.tls = files.tls; });
  EXPECT_EQ(ask(server->address(), get_x, TLS1_1_VERSION), "");
  EXPECT_EQ(server.ask(get_x).find("HTTP/"), std::string::npos);
  EXPECT_EQ(server->counts().responses[200], 0U);
}

TEST(Tls, FilesThatCannotBeUsedAreErrorsWithAHint) {
  const Files files;
  TestHandler handler;
  ServerConfig config;
  config.tls = TlsFiles{files.folder / "none.pem", files.tls.key};
  auto opened = Server::open(config, handler);
  ASSERT_FALSE(opened);
  EXPECT_THAT(opened.error().text(), HasSubstr("none.pem"));
  EXPECT_THAT(opened.error().hint, HasSubstr("tls_certificate"));
  write_key(make_key(), files.folder / "other.pem");
  config.tls = TlsFiles{files.tls.certificate, files.folder / "other.pem"};
  opened = Server::open(config, handler);
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::usage);
  EXPECT_THAT(opened.error().hint, HasSubstr("tls_key"));
}

// A connection that stays open.
class OpenConnection {
 public:
  explicit OpenConnection(const std::string& address)
      : context_(SSL_CTX_new(TLS_client_method())), bio_(BIO_new_ssl_connect(context_.get())) {
    BIO_set_conn_hostname(bio_.get(), address.c_str());
    EXPECT_GT(BIO_do_connect(bio_.get()), 0);
  }
  // The serial number of the server's certificate.
  [[nodiscard]] long serial() const {
    SSL* ssl = nullptr;
    BIO_get_ssl(bio_.get(), &ssl);
    const Certificate certificate(SSL_get1_peer_certificate(ssl));
    return certificate ? ASN1_INTEGER_get(X509_get0_serialNumber(certificate.get())) : -1;
  }
  // Asks, and reads the end of the connection.
  [[nodiscard]] std::string ask(const std::string& bytes) const {
    EXPECT_GT(BIO_write(bio_.get(), bytes.data(), static_cast<int>(bytes.size())), 0);
    std::string out;
    char piece[4'096];
    for (int n = 0; (n = BIO_read(bio_.get(), piece, sizeof piece)) > 0;)
      out.append(piece, static_cast<std::size_t>(n));
    return out;
  }

 private:
  std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>> context_;
  std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> bio_;
};

// The server's clock is the machine's: what was written an hour ago is no longer being written.
void make_old(const TlsFiles& files) {
  const auto then = std::filesystem::file_time_type::clock::now() - std::chrono::hours(1);
  for (const auto& file : {files.certificate, files.key}) std::filesystem::last_write_time(file, then);
}

TEST(Tls, ARenewedCertificateIsUsedWithoutARestart) {
  const Files files;
  make_old(files.tls);
  TestServer server({}, [&](ServerConfig& config) { config.tls = files.tls; });
  const OpenConnection before(server->address());
  EXPECT_EQ(before.serial(), 1);
  EXPECT_EQ(OpenConnection(server->address()).serial(), 1);
  // As programs renew them: one file after the other. The first one alone has another key.
  const Key key = make_key();
  write_certificate(key, files.tls.certificate, 2);
  EXPECT_EQ(OpenConnection(server->address()).serial(), 1);
  write_key(key, files.tls.key);
  EXPECT_EQ(OpenConnection(server->address()).serial(), 2);
  // The connection that began with the first one is served to its end.
  EXPECT_THAT(before.ask(get_x), HasSubstr("HTTP/1.1 200 OK"));
  EXPECT_THAT(ask(server->address(), get_x), HasSubstr("HTTP/1.1 200 OK"));
}

TEST(Tls, ARenewedCertificateThatCannotBeUsedIsLoggedOnceAndTheEarlierOneStays) {
  const Files files;
  std::mutex mutex;
  std::vector<std::string> lines;
  TestServer server({}, [&](ServerConfig& config) {
    config.tls = files.tls;
    config.log = [&](const std::string& line) {
      const std::lock_guard lock(mutex);
      lines.push_back(line);
    };
  });
  ASSERT_TRUE(write_file_atomically(files.tls.certificate, "no certificate"));
  make_old(files.tls);
  for (int i = 0; i < 3; ++i) EXPECT_EQ(OpenConnection(server->address()).serial(), 1);
  {
    const std::lock_guard lock(mutex);
    ASSERT_EQ(lines.size(), 1U);
    EXPECT_THAT(lines[0], HasSubstr("certificate.pem"));
    EXPECT_THAT(lines[0], HasSubstr("no certificate for TLS"));
  }
  std::filesystem::remove(files.tls.key);
  EXPECT_EQ(OpenConnection(server->address()).serial(), 1);
}

TEST(Tls, EventsAreStreamed) {
  const Files files;
  Limits limits;
  limits.write_time_max = std::chrono::seconds(5);
  TestServer server(limits, [&](ServerConfig& config) { config.tls = files.tls; });
  const std::unique_ptr<SSL_CTX, Freed<SSL_CTX, SSL_CTX_free>> context(SSL_CTX_new(TLS_client_method()));
  const std::unique_ptr<BIO, Freed<BIO, BIO_free_all>> bio(BIO_new_ssl_connect(context.get()));
  BIO_set_conn_hostname(bio.get(), server->address().c_str());
  ASSERT_GT(BIO_do_connect(bio.get()), 0);
  const std::string request = "GET /api/v1/events HTTP/1.1\r\nHost: localhost\r\n\r\n";
  ASSERT_GT(BIO_write(bio.get(), request.data(), static_cast<int>(request.size())), 0);
  std::string seen;
  const auto read_until = [&](const std::string& text) {
    char piece[4'096];
    while (seen.find(text) == std::string::npos) {
      const int n = BIO_read(bio.get(), piece, sizeof piece);
      if (n <= 0) return;
      seen.append(piece, static_cast<std::size_t>(n));
    }
  };
  read_until("\r\n\r\n");
  server->publish("round", "7");
  read_until("data: 7\n\n");
  EXPECT_THAT(seen, HasSubstr("event: round\ndata: 7\n\n"));
}

}  // namespace
}  // namespace hansa::http
