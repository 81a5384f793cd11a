// What is known about each client that has sent Hello: its data, its certificate, and how its past rounds went.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/identifiers.h"
#include "protocols/messages/messages.h"
#include "protocols/secure_aggregation/identity.h"
#include "server/coordinator/internal/turn.h"
#include "server/store/store.h"

namespace hansa::server {

struct Client {
  std::uint64_t examples = 0;  // available
  std::uint64_t new_examples = 0;
  bool counted_since_report = false;  // new_examples is what it was before its last update counted
  std::uint64_t schema = 0;  // of its data; 0: not known
  messages::Report problem;
  std::optional<secure_aggregation::Certificate> certificate;
  // History, since this process started.
  std::uint32_t rounds_counted = 0;
  std::uint32_t rounds_lost = 0;
  RoundId last_selected;
  double train_seconds = 0;
  double round_seconds = 0;
  std::optional<double> loss;  // of training, finite
};

class Clients {
 public:
  // A client's process has connected: logs what it can train on.
  void on_connected(const std::string& client, const messages::DataReport& data, Turn& turn);
  // Stores the report, and logs what has changed. True if its numbers or its problem have.
  bool on_data(const std::string& client, const messages::DataReport& data, Turn& turn);
  void on_certificate(const std::string& client, std::optional<secure_aggregation::Certificate> certificate);
  // Adds a committed round to the clients' history, for the selection of cohorts.
  void on_round(const RoundRecord& record);

  // The update of this task counts, and the client is sent its Receipt: the new examples that it reported before are
  // used up.
  void on_counted(const std::string& client, TaskId task);
  // What counted before this process: RestoredState::counted.
  void restore_counted(std::map<std::string, std::vector<TaskId>, std::less<>> counted);
  // The task of the client's last update that counted, or several of which one is it. The client is sent its Receipt in
  // each new session, because it may have died, or lost its connection, before it stored what follows from that.
  [[nodiscard]] std::vector<TaskId> last_counted(std::string_view client) const;

  // Null before the client's first Hello.
  [[nodiscard]] const Client* find(std::string_view client) const;
  [[nodiscard]] const std::map<std::string, Client, std::less<>>& all() const { return clients_; }

 private:
  // Warns if other clients' data has other names than the data of this client, whose schema has just become known.
  void compare_schemas(const std::string& client, std::uint64_t schema, Turn& turn) const;

  std::map<std::string, Client, std::less<>> clients_;
  std::map<std::string, std::vector<TaskId>, std::less<>> counted_;  // last_counted()
};

}  // namespace hansa::server
