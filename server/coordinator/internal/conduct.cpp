#include "server/coordinator/internal/conduct.h"

namespace hansa::server {

bool Conduct::allows(std::string_view client, Kind kind, Instant now) {
  auto found = limits_.find(client);
  if (found == limits_.end()) found = limits_.emplace(client, Limits{}).first;
  Limits& limits = found->second;
  switch (kind) {
    case Kind::hello: return limits.hello.take(now);
    case Kind::talk: return limits.talk.take(now);
    case Kind::pull: return limits.pull.take(now);
    case Kind::fault: return limits.fault.take(now);
    case Kind::malformed: return limits.malformed.take(now);
  }
  return true;
}

const char* Conduct::excess(Kind kind) {
  switch (kind) {
    case Kind::hello: return "it sends Hello too often";
    case Kind::talk: return "it sends too many pings and reports";
    case Kind::pull: return "it pulls too often";
    case Kind::fault: return "it sends too many messages that do not belong here";
    case Kind::malformed: return "it sends too many malformed messages";
  }
  return "";
}

void Conduct::forget(std::string_view client) {
  if (const auto found = limits_.find(client); found != limits_.end()) limits_.erase(found);
}

}  // namespace hansa::server
