// hansa-trainer trains models for hansa-client, which starts it as a child process.
#include "client/trainer/internal/service.h"
#include "common/process/child_program.h"
#include "common/version/version.h"
#include "protocols/messages/type.h"

int main(int count, char** arguments) {
  return hansa::run_child_program<hansa::client::internal::Service>(
      count, arguments,
      {"hansa-trainer is a part of hansa-client, which starts it to train models.\n"
       "Do not run it yourself. The table [resources] of client.toml limits what it may use.",
       hansa::version_text("hansa-trainer", hansa::messages::protocol_version)});
}
