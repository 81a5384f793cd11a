// hansa-learning: all commands of `hansa`, which starts it for those that need LibTorch.
#include "tools/learning_commands.h"

int main(int argc, char** argv) {
  using namespace hansa::tools;
  return run_hansa(argc, argv,
                   {add_new_command, add_model_command, add_data_command, add_contract_command,
                    add_simulate_command, add_evaluate_command});
}
