// What is known about each client that has sent Hello: its data, its certificate, and how its past rounds went.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>

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
  std::optional<TaskId> missed_receipt;  // of the last update that counted while the client was away
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

  // The client is sent the receipt that its update counts: the new examples that it reported before are used up.
  void on_receipt(const std::string& client);
  void on_missed_receipt(const std::string& client, TaskId task);
  [[nodiscard]] std::optional<TaskId> take_missed_receipt(const std::string& client);

  // Null before the client's first Hello.
  [[nodiscard]] const Client* find(std::string_view client) const;
  [[nodiscard]] const std::map<std::string, Client, std::less<>>& all() const { return clients_; }

 private:
  // Warns if other clients' data has other names than the data of this client, whose schema has just become known.
  void compare_schemas(const std::string& client, std::uint64_t schema, Turn& turn) const;

  std::map<std::string, Client, std::less<>> clients_;
};

}  // namespace hansa::server
