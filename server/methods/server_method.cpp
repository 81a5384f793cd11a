#include "server/methods/server_method.h"

#include "server/methods/fed_dyn.h"
#include "server/methods/fed_nova.h"
#include "server/methods/scaffold.h"

namespace hansa::server {

bool needs_rounds(std::string_view method) {
  return method == "feddyn" || method == "fednova" || method == "scaffold";
}

std::unique_ptr<ServerMethod> make_server_method(const Method& method,
                                                 const std::vector<ServerOptimizerConfig::Range>& buffers,
                                                 WorkerPool& workers) {
  if (method.name == "feddyn") return std::make_unique<FedDyn>(buffers, workers);
  if (method.name == "fednova") return std::make_unique<FedNova>(buffers);
  if (method.name == "scaffold") return std::make_unique<Scaffold>();
  return std::make_unique<ServerMethod>();
}

}  // namespace hansa::server
