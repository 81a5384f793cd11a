// A server on a free port with a handler that a test gives.
#pragma once
#include <functional>
#include <memory>
#include <mutex>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "server/http/server.h"
#include "tests/http/raw_client.h"

namespace hansa::http {

inline const std::string test_token(64, 'a');

class TestHandler final : public Handler {
 public:
  std::function<Response(const Request&)> answer = [](const Request& request) {
    Response out;
    out.body = request.method + " " + request.path + " " + request.body;
    return out;
  };
  Response handle(const Request& request) override { return answer(request); }
};

inline const Asset* find_test_asset(std::string_view path) {
  static const Asset page{"/index.html", "text/html; charset=utf-8", "<!doctype html>", "\"1\"", {}};
  static const std::string text(100'000, 'x');
  static const Asset script{"/main.js", "text/javascript; charset=utf-8", text, "\"2\"", "packed"};
  if (path == "/") return &page;
  return path == "/main.js" ? &script : nullptr;
}

class TestServer {
 public:
  explicit TestServer(const Limits& limits = {}, const std::function<void(ServerConfig&)>& change = {}) {
    ServerConfig config;
    config.token = test_token;
    config.limits = limits;
    config.find_asset = find_test_asset;
    config.log = [this](const std::string& line) {
      const std::lock_guard lock(mutex_);
      lines_.push_back(line);
    };
    if (change) change(config);
    auto opened = Server::open(std::move(config), handler);
    if (opened) server_ = std::move(*opened);
    else ADD_FAILURE() << opened.error().text();
  }
  ~TestServer() { server_.reset(); }

  [[nodiscard]] Server& operator*() { return *server_; }
  [[nodiscard]] Server* operator->() { return server_.get(); }
  [[nodiscard]] RawClient connect(int receive_buffer = 0) {
    return RawClient(server_->address(), receive_buffer);
  }
  // The response to one request on a connection of its own.
  std::string ask(const std::string& bytes) {
    RawClient client = connect();
    client.send(bytes);
    return client.read_all();
  }
  std::string get(const std::string& target, const std::string& lines = {}) {
    return ask("GET " + target + " HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n" + lines + "\r\n");
  }
  std::vector<std::string> lines() {
    const std::lock_guard lock(mutex_);
    return lines_;
  }

  TestHandler handler;

 private:
  std::mutex mutex_;
  std::vector<std::string> lines_;
  std::unique_ptr<Server> server_;
};

inline unsigned status_of(const std::string& response) {
  return response.starts_with("HTTP/1.1 ") ? static_cast<unsigned>(std::stoul(response.substr(9, 3))) : 0;
}

}  // namespace hansa::http
