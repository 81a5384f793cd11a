#include "tests/data/broker.h"

#include <csignal>
#include <fcntl.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <array>
#include <chrono>
#include <thread>

#include <gtest/gtest.h>
#include <mosquitto.h>

namespace hansa::learning::testing {
namespace {

constexpr const char* program = "/usr/sbin/mosquitto";

sockaddr_in loopback(std::uint16_t port) {
  sockaddr_in address{};
  address.sin_family = AF_INET;
  address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  address.sin_port = htons(port);
  return address;
}

// A port that was free a moment ago, because the broker cannot bind port 0. It is outside the range that the kernel
// assigns to connecting sockets, so that no client takes it in the meantime.
std::uint16_t free_port() {
  for (std::uint16_t port = static_cast<std::uint16_t>(10'000 + ::getpid() % 20'000);; ++port) {
    const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
    const auto address = loopback(port);
    const bool free = ::bind(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
    ::close(probe);
    if (free) return port;
  }
}

bool answers(std::uint16_t port) {
  const int probe = ::socket(AF_INET, SOCK_STREAM, 0);
  const auto address = loopback(port);
  const bool connected = ::connect(probe, reinterpret_cast<const sockaddr*>(&address), sizeof address) == 0;
  ::close(probe);
  return connected;
}

void run(const std::string& command) { ASSERT_EQ(std::system(command.c_str()), 0) << command; }

}  // namespace

bool Broker::is_installed() { return std::filesystem::exists(program); }

Broker::Broker(const TemporaryFolder& folder, Channel channel)
    : folder_(folder), channel_(channel), port_(free_port()) {
  mosquitto_lib_init();
  std::string tls;
  if (channel == Channel::encrypted) {
    const auto in = [&](const char* name) { return (folder / name).string(); };
    run("openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=test-ca "
        "-keyout " +
        in("ca.key") + " -out " + in("ca.pem") + " 2>/dev/null");
    run("openssl req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=localhost -keyout " +
        in("broker.key") + " -out " + in("broker.csr") + " 2>/dev/null");
    run("openssl x509 -req -days 2 -CAcreateserial -CA " + in("ca.pem") + " -CAkey " + in("ca.key") +
        " -in " + in("broker.csr") + " -out " + in("broker.pem") + " 2>/dev/null");
    tls =
        "cafile " + in("ca.pem") + "\ncertfile " + in("broker.pem") + "\nkeyfile " + in("broker.key") + "\n";
  }
  const std::string user = ::getuid() == 0 ? "user root\n" : "";
  std::filesystem::create_directory(folder / "broker");
  write_text(folder / "broker.conf", user + "persistence true\npersistence_location " +
                                         (folder / "broker").string() +
                                         "/\nmax_queued_messages 0\nallow_anonymous true\nlistener " +
                                         std::to_string(port_) + " 127.0.0.1\n" + tls);
  start();
}

Broker::~Broker() { stop(SIGKILL); }

void Broker::start() {
  const std::string file = folder_ / "broker.conf";
  process_ = ::fork();
  if (process_ == 0) {
    const int nowhere = ::open("/dev/null", O_WRONLY);
    ::dup2(nowhere, 1);
    ::dup2(nowhere, 2);
    ::execl(program, program, "-c", file.c_str(), nullptr);
    ::_exit(127);
  }
  const auto until = std::chrono::steady_clock::now() + std::chrono::seconds(30);
  while (!answers(port_)) {
    ASSERT_LT(std::chrono::steady_clock::now(), until) << "the broker does not answer";
    std::this_thread::sleep_for(std::chrono::milliseconds(10));
  }
}

void Broker::stop(int signal) {
  if (process_ < 0) return;
  ::kill(process_, signal);
  int status = 0;
  ::waitpid(process_, &status, 0);
  process_ = -1;
}

// Connects, performs one action, and returns when the broker has acknowledged it.
void Broker::ask(const char* client_id, const std::function<int(mosquitto*)>& what) const {
  bool acknowledged = false;
  mosquitto* client = mosquitto_new(client_id, client_id == nullptr, &acknowledged);
  mosquitto_publish_callback_set(client,
                                 [](mosquitto*, void* done, int) { *static_cast<bool*>(done) = true; });
  mosquitto_subscribe_callback_set(
      client, [](mosquitto*, void* done, int, int, const int*) { *static_cast<bool*>(done) = true; });
  if (channel_ == Channel::encrypted)
    mosquitto_tls_set(client, ca_file().c_str(), nullptr, nullptr, nullptr, nullptr);
  ASSERT_EQ(mosquitto_connect(client, "localhost", port_, 30), MOSQ_ERR_SUCCESS);
  ASSERT_EQ(what(client), MOSQ_ERR_SUCCESS);
  while (!acknowledged) ASSERT_EQ(mosquitto_loop(client, 1'000, 1), MOSQ_ERR_SUCCESS);
  mosquitto_disconnect(client);
  mosquitto_destroy(client);
}

void Broker::publish(const std::string& payload, const std::string& topic) const {
  ask(nullptr, [&](mosquitto* client) {
    return mosquitto_publish(client, nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(),
                             1, false);
  });
}

void Broker::open_session(const std::string& client_id, const std::string& topic) const {
  ask(client_id.c_str(),
      [&](mosquitto* client) { return mosquitto_subscribe(client, nullptr, topic.c_str(), 1); });
}

BrokerConfig Broker::config() const {
  BrokerConfig out;
  out.host = "localhost";
  out.port = port_;
  out.tls = channel_ == Channel::encrypted;
  out.topic = default_topic;
  if (out.tls) out.ca_file = ca_file();
  return out;
}

}  // namespace hansa::learning::testing
