// In-memory connections between clients and one aggregator on the virtual clock, with faults.
//
// Without faults a connection delivers whole messages, once and in order, as TCP does. The faults are data.
#pragma once
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/identifiers.h"
#include "common/random.h"
#include "common/time.h"
#include "simulation/event_queue.h"

namespace hansa::simulation {

struct NetworkFaults {
  Duration latency_min{};
  Duration latency_max{};
  double lose = 0;  // probability for each message
  double duplicate = 0;
  double overtake = 0;  // the message may overtake earlier ones
  double cut = 0;  // the connection breaks at this message
};

class Network {
 public:
  using Bytes = std::vector<std::byte>;
  struct Handlers {
    std::function<void(PeerId, const std::string& client, const Bytes&, const Bytes&)> to_aggregator;
    std::function<void(const std::string& client, const Bytes&, const Bytes&)> to_client;
    std::function<void(const std::string& client)> link_up;
    std::function<void(const std::string& client)> link_down;
  };

  Network(EventQueue& events, std::uint64_t seed, Handlers handlers);

  void set_faults(const NetworkFaults& faults) { faults_ = faults; }
  void aggregator_up() { listening_ = true; }
  void aggregator_down();  // breaks all connections
  void open(const std::string& client);
  // Called by the client. Messages that it has sent arrive; what is sent to it does not.
  void close_gracefully(const std::string& client);
  void close(const std::string& client);  // called by the client; the aggregator notices it when it sends
  void client_to_aggregator(const std::string& client, std::span<const std::byte> message,
                            std::span<const std::byte> bulk);
  // Returns false if the connection does not exist or is closed.
  bool aggregator_to_client(PeerId peer, std::span<const std::byte> message, std::span<const std::byte> bulk);

 private:
  struct Connection {
    std::string client;
    bool alive = true;
    Instant last_to_aggregator;
    Instant last_to_client;
  };
  using Deliver = std::function<void()>;
  void transmit(const std::shared_ptr<Connection>& connection, Instant& last, const Deliver& deliver);
  void break_connection(const std::shared_ptr<Connection>& connection);
  [[nodiscard]] Duration latency();

  EventQueue& events_;
  Random random_;
  Handlers handlers_;
  NetworkFaults faults_;
  bool listening_ = false;
  std::uint64_t next_peer_ = 1;
  std::map<PeerId, std::shared_ptr<Connection>> by_peer_;
  std::map<std::string, PeerId> by_client_;
};

}  // namespace hansa::simulation
