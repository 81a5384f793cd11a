#include "client/check/finding.h"

namespace hansa::client {

std::string_view name(Check check) {
  switch (check) {
    case Check::configuration: return "configuration";
    case Check::key: return "key";
    case Check::clock: return "clock";
    case Check::state: return "state";
    case Check::name: return "name";
    case Check::tcp: return "tcp";
    case Check::proxy: return "proxy";
    case Check::handshake: return "handshake";
    case Check::admission: return "admission";
    case Check::version: return "version";
    case Check::federation: return "federation";
    case Check::session: return "session";
    case Check::certificate: return "certificate";
    case Check::data: return "data";
    case Check::contract: return "contract";
    case Check::model: return "model";
    case Check::memory: return "memory";
  }
  return "";
}

Finding failed(Check check, const Error& error) {
  return failed(check, error.code, error.location.empty() ? error.what : error.location + ": " + error.what,
                error.hint);
}

}  // namespace hansa::client
