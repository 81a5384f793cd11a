#include "bench/loadgen/raw_curve.h"

#include <algorithm>
#include <array>
#include <string>
#include <thread>
#include <vector>

#include <sys/wait.h>
#include <unistd.h>
#include <zmq.hpp>

#include "common/time.h"

namespace hansa::loadgen {
namespace {

struct KeyPair {
  char public_key[41];
  char secret_key[41];
};
KeyPair make_keys() {
  KeyPair out{};
  ::zmq_curve_keypair(out.public_key, out.secret_key);
  return out;
}

constexpr std::size_t head_bytes = 32;
constexpr unsigned warm_up = 2;  // initial transfers that are not measured
constexpr unsigned measured = 5;

// The receiving process: reports its address, and then one byte when it has received all of a transfer.
void receive(const KeyPair& keys, std::uint64_t bytes, unsigned clients, int to_parent) {
  zmq::context_t context(2);
  zmq::socket_t router(context, zmq::socket_type::router);
  router.set(zmq::sockopt::curve_server, 1);
  router.set(zmq::sockopt::curve_secretkey, keys.secret_key);
  router.bind("tcp://127.0.0.1:*");
  const std::string address = router.get(zmq::sockopt::last_endpoint);
  if (::write(to_parent, address.c_str(), address.size() + 1) < 0) return;
  zmq::message_t frame;
  unsigned greeted = 0;
  while (greeted < clients) {
    (void)router.recv(frame);
    std::string id = frame.to_string();
    (void)router.recv(frame);
    router.send(zmq::buffer(id), zmq::send_flags::sndmore);
    router.send(zmq::buffer("go", 2), zmq::send_flags::none);
    ++greeted;
  }
  for (unsigned shot = 0; shot < warm_up + measured; ++shot) {
    for (std::uint64_t received = 0; received < bytes;) {
      (void)router.recv(frame);
      (void)router.recv(frame);
      (void)router.recv(frame);
      received += frame.size();
    }
    (void)!::write(to_parent, "x", 1);
  }
}

}  // namespace

Result<double> raw_curve_throughput(unsigned clients, std::size_t message_bytes, std::uint64_t bytes) {
  const std::uint64_t messages = bytes / message_bytes;
  const KeyPair server = make_keys();
  int ends[2];
  if (::pipe(ends) != 0) return fail(ErrorCode::resource, "pipe", "cannot be created");
  const pid_t child = ::fork();
  if (child == 0) {
    receive(server, messages * message_bytes * clients, clients, ends[1]);
    ::_exit(0);
  }
  ::close(ends[1]);
  std::string address;
  for (char c = 1; ::read(ends[0], &c, 1) == 1 && c != 0;) address.push_back(c);
  std::vector<double> took;
  {
    zmq::context_t context(2);
    // Each sender has data of its own, as clients do.
    std::vector<std::vector<std::byte>> sources(
        clients, std::vector<std::byte>(messages * message_bytes, std::byte{7}));
    const std::array<std::byte, head_bytes> head{};
    std::vector<zmq::socket_t> sockets;
    for (unsigned i = 0; i < clients; ++i) {
      const KeyPair own = make_keys();
      zmq::socket_t& socket = sockets.emplace_back(context, zmq::socket_type::dealer);
      socket.set(zmq::sockopt::curve_serverkey, server.public_key);
      socket.set(zmq::sockopt::curve_publickey, own.public_key);
      socket.set(zmq::sockopt::curve_secretkey, own.secret_key);
      socket.set(zmq::sockopt::sndhwm, 64);
      socket.connect(address);
      socket.send(zmq::buffer("hello", 5), zmq::send_flags::none);
    }
    zmq::message_t frame;
    for (auto& socket : sockets) (void)socket.recv(frame);
    for (unsigned shot = 0; shot < warm_up + measured; ++shot) {
      const Instant began = steady_now();
      for (std::uint64_t i = 0; i < messages; ++i)
        for (unsigned c = 0; c < clients; ++c) {
          // A first frame like that of an UpdateChunk, then the bulk frame, sent without a copy from existing memory.
          sockets[c].send(zmq::buffer(head), zmq::send_flags::sndmore);
          zmq::message_t message(sources[c].data() + i * message_bytes, message_bytes, nullptr, nullptr);
          sockets[c].send(message, zmq::send_flags::none);
        }
      char done = 0;
      (void)!::read(ends[0], &done, 1);
      if (shot >= warm_up) took.push_back(seconds(steady_now() - began));
    }
    for (auto& socket : sockets) socket.set(zmq::sockopt::linger, 0);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  ::close(ends[0]);
  std::ranges::nth_element(took, took.begin() + measured / 2);
  return static_cast<double>(messages * message_bytes * clients) / took[measured / 2] / 1e9;
}

}  // namespace hansa::loadgen
