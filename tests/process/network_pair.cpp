#include "tests/process/network_pair.h"

#include <cerrno>
#include <csignal>
#include <cstdlib>
#include <cstring>
#include <fstream>
#include <sstream>

#include <fmt/format.h>
#include <sched.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

namespace hansa::testing {
namespace {

// A process in its own network namespace; -1: not permitted, see errno.
pid_t hold_namespace() {
  int ready[2];
  if (::pipe(ready) != 0) return -1;
  const pid_t pid = ::fork();
  if (pid == 0) {
    ::prctl(PR_SET_PDEATHSIG, SIGKILL);
    ::close(ready[0]);
    const int error = ::unshare(CLONE_NEWNET) == 0 ? 0 : errno;
    (void)!::write(ready[1], &error, sizeof error);
    for (;;) ::pause();
  }
  ::close(ready[1]);
  int error = EIO;
  (void)!::read(ready[0], &error, sizeof error);
  ::close(ready[0]);
  if (error == 0) return pid;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
  errno = error;
  return -1;
}

void release(pid_t pid) {
  if (pid <= 0) return;
  ::kill(pid, SIGKILL);
  ::waitpid(pid, nullptr, 0);
}

bool in(pid_t holder, const std::string& command) {
  // The tools are in sbin, which is not in every user's PATH.
  const std::string line =
      fmt::format("PATH=$PATH:/usr/sbin:/sbin nsenter -t {} -n {} >/dev/null 2>&1", holder, command);
  return std::system(line.c_str()) == 0;
}

}  // namespace

std::unique_ptr<NetworkPair> NetworkPair::create(const Wire& wire, std::string& why) {
  std::unique_ptr<NetworkPair> pair(new NetworkPair());
  if (!pair->set_up(wire, why)) return nullptr;
  return pair;
}

bool NetworkPair::set_up(const Wire& wire, std::string& why) {
  aggregator_ = hold_namespace();
  device_ = aggregator_ < 0 ? -1 : hold_namespace();
  if (device_ < 0) {
    why = std::string("network namespaces are not permitted here: ") + std::strerror(errno);
    return false;
  }
  const auto must = [&](pid_t holder, const std::string& command) {
    if (!why.empty()) return;
    if (!in(holder, command)) why = "this does not work here: " + command;
  };
  must(aggregator_, fmt::format("ip link add wire type veth peer name wire netns {}", device_));
  for (const pid_t holder : {aggregator_, device_}) {
    must(holder, fmt::format("ip addr add 10.77.0.{}/24 dev wire", holder == aggregator_ ? 1 : 2));
    must(holder, "ip link set wire up");
    must(holder, "ip link set lo up");
    must(holder, fmt::format("tc qdisc add dev wire root tbf rate {}bps burst 16kb latency 400ms",
                             wire.bytes_per_second));
    if (wire.loss > 0)
      must(holder,
           fmt::format("iptables -A INPUT -i wire -m statistic --mode random --probability {} -j DROP",
                       wire.loss));
  }
  return why.empty();
}

NetworkPair::~NetworkPair() {
  release(aggregator_);
  release(device_);
}

std::uint64_t NetworkPair::counter(int field) const {
  std::ifstream table(fmt::format("/proc/{}/net/dev", device_));
  for (std::string line; std::getline(table, line);) {
    const auto colon = line.find("wire:");
    if (colon == std::string::npos) continue;
    std::istringstream fields(line.substr(colon + 5));
    std::uint64_t value = 0;
    for (int i = 0; i <= field; ++i) fields >> value;
    return value;
  }
  return 0;
}

std::uint64_t NetworkPair::bytes_to_device() const { return counter(0); }
std::uint64_t NetworkPair::bytes_from_device() const { return counter(8); }

void NetworkPair::unplug() { (void)in(device_, "ip link set wire down"); }
void NetworkPair::plug_in() { (void)in(device_, "ip link set wire up"); }

void NetworkPair::refuse() {
  (void)in(aggregator_, "iptables -I INPUT -i wire -p tcp -j REJECT --reject-with tcp-reset");
}
void NetworkPair::admit() { (void)in(aggregator_, "iptables -D INPUT 1"); }

void NetworkPair::move_device() {
  (void)in(device_, "ip addr flush dev wire");
  (void)in(device_, fmt::format("ip addr add 10.77.0.{}/24 dev wire", 3 + moves_++));
}

}  // namespace hansa::testing
