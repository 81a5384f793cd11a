#include "server/coordinator/internal/waiting.h"

#include "server/coordinator/internal/name_list.h"

namespace hansa::server {
namespace {

constexpr std::size_t names_max = 12;

std::string clients_text(std::size_t count, const char* one, const char* more) {
  return std::to_string(count) + (count == 1 ? one : more);
}

}  // namespace

Waiting describe_waiting(const Shared& shared, std::size_t ready, Instant now) {
  Waiting out;
  std::size_t absent = 0, unable = 0, without_new = 0;
  for (const std::string& name : shared.config.settings.admitted) {
    const Client* client = shared.clients.find(name);
    const SetAside::Held* held = shared.set_aside.find(name, now);
    const std::string lacks = client == nullptr ? std::string() : shared.exchanges->what_lacks(*client);
    if (!lacks.empty()) {
      ++unable;
      out.missing.push_back(name + " (" + lacks + ")");
    } else if (client == nullptr || shared.sessions.find(name) == nullptr) {
      ++absent;
      out.missing.push_back(name);
    } else if (client->examples == 0) {
      ++(client->problem.reason.code == ReasonCode::nothing_arrived ? without_new : unable);
      const std::string problem = client->problem.empty() ? "" : ": " + sentence(client->problem);
      out.missing.push_back(name + " (no data" + problem + ")");
    } else if (held != nullptr) {
      ++(held->why == SetAside::Why::no_new_data ? without_new : unable);
      out.missing.push_back(name + " (" + held->reason + ")");
    }
  }
  const std::size_t needed = shared.config.settings.cohort.clients_min;
  if (without_new > 0 && ready + without_new >= needed) {
    out.what = Waiting::For::new_data;
    out.text = "new data: " + std::to_string(ready) + " of " +
               clients_text(ready + without_new, " client", " clients") + (ready == 1 ? " has" : " have") +
               " some, and a round needs " + std::to_string(needed);
    out.hint = "add data, or lower cohort.clients_min";
    return out;
  }
  out.text = "clients: " + std::to_string(ready) + " of the " + std::to_string(needed) +
             " that cohort.clients_min needs can take part" +
             (out.missing.empty() ? "" : "; missing: " + name_list(out.missing, names_max));
  if (absent > 0) out.hint = "start the missing clients";
  if (unable > 0)
    out.hint += absent > 0 ? ", and correct what the others report" : "correct what they report";
  if (out.hint.empty()) out.hint = "admit more clients, or lower cohort.clients_min";
  return out;
}

}  // namespace hansa::server
