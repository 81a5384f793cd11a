#include "server/coordinator/internal/clients.h"

#include <cmath>
#include <utility>

namespace hansa::server {

void Clients::on_connected(const std::string& client, const messages::DataReport& data, Turn& turn) {
  if (data.examples > 0)
    turn.inform_about(
        client, "connected", LogEvent::client_connected,
        client + " connected with " + std::to_string(data.examples) + " examples" +
            (data.new_examples > 0 ? ", " + std::to_string(data.new_examples) + " of them new" : ""));
  else if (data.problem.empty())
    // "hansa-client check" says nothing about data, and a client may wait for its first examples.
    turn.inform_about(client, "connected", LogEvent::client_connected,
                      client + " connected and reports no examples");
  else
    turn.warn_about(client, "cannot train", LogEvent::client_cannot_train,
                    client + " connected and cannot train: " + sentence(data.problem));
  clients_[client].problem = data.problem;  // on_data need not log it again
}

bool Clients::on_data(const std::string& client, const messages::DataReport& data, Turn& turn) {
  Client& c = clients_[client];
  const bool problem_changed = !(data.problem == c.problem);
  for (const messages::Report& notice : data.notices)
    if (!notice.empty())
      turn.warn_about(client, "notice", LogEvent::client_noticed, client + ": " + sentence(notice));
  if (!data.problem.empty() && problem_changed)
    turn.warn_about(client, "problem", LogEvent::client_cannot_train,
                    client + (data.examples > 0 ? " has no more data coming: " : " cannot train: ") +
                        sentence(data.problem));
  else if (data.examples > 0 && c.examples == 0 && !c.problem.empty())
    turn.inform_about(client, "can train", LogEvent::client_can_train,
                      client + " can train now, on " + std::to_string(data.examples) + " examples");
  const bool changed = data.examples != c.examples || data.new_examples != c.new_examples || problem_changed;
  c.examples = data.examples;
  c.new_examples = data.new_examples;
  c.counted_since_report = false;
  if (data.schema != 0 && data.schema != c.schema) compare_schemas(client, data.schema, turn);
  if (data.schema != 0) c.schema = data.schema;
  c.problem = data.problem;
  return changed;
}

void Clients::compare_schemas(const std::string& client, std::uint64_t schema, Turn& turn) const {
  constexpr std::size_t shown = 3;
  std::size_t others = 0;
  std::string names;
  for (const auto& [name, other] : clients_) {
    if (name == client || other.schema == 0 || other.schema == schema) continue;
    if (++others <= shown) names += (names.empty() ? "" : ", ") + name;
  }
  if (others == 0) return;
  if (others > shown) names += " and " + std::to_string(others - shown) + " more";
  turn.warn_about(
      client, "schema", LogEvent::client_noticed,
      client +
          ": the names of its columns, its label or its classes, their order, or how its values were made "
          "(tokenizer, sampling rate) are not those of " +
          names +
          ": a model that is trained on both learns nonsense; compare \"hansa data describe\" on the "
          "devices, set data.columns and data.classes, or set a [data_contract], which names the "
          "difference");
}

void Clients::on_certificate(const std::string& client,
                             std::optional<secure_aggregation::Certificate> certificate) {
  clients_[client].certificate = std::move(certificate);
}

void Clients::on_round(const RoundRecord& record) {
  for (const Participation& p : record.participations) {
    Client& client = clients_[p.client];
    client.last_selected = record.round;
    if (p.outcome != Outcome::counted) {
      ++client.rounds_lost;
      continue;
    }
    ++client.rounds_counted;
    client.train_seconds = p.train_seconds;
    // A client may report any number.
    if (const auto loss = mean_of(p.metrics, "loss"); loss && std::isfinite(*loss)) client.loss = loss;
    client.round_seconds = p.seconds;
  }
}

void Clients::on_counted(const std::string& client, TaskId task) {
  clients_[client].counted_since_report = true;
  counted_[client] = {task};
}

void Clients::restore_counted(std::map<std::string, std::vector<TaskId>, std::less<>> counted) {
  counted_ = std::move(counted);
}

std::vector<TaskId> Clients::last_counted(std::string_view client) const {
  const auto found = counted_.find(client);
  return found == counted_.end() ? std::vector<TaskId>{} : found->second;
}

const Client* Clients::find(std::string_view client) const {
  const auto found = clients_.find(client);
  return found == clients_.end() ? nullptr : &found->second;
}

}  // namespace hansa::server
