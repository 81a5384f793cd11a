// hansa-evaluator evaluates models for hansa-aggregator, which starts it as a child process.
#include "common/process/child_program.h"
#include "common/version/version.h"
#include "protocols/messages/type.h"
#include "server/evaluation/internal/service.h"

int main(int count, char** arguments) {
  return hansa::run_child_program<hansa::server::internal::Service>(
      count, arguments,
      {"hansa-evaluator is a part of hansa-aggregator, which starts it to read and to evaluate models.\n"
       "Do not run it yourself. The table [evaluation] of federation.toml names the held-out data.",
       hansa::version_text("hansa-evaluator", hansa::messages::protocol_version)});
}
