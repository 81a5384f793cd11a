// The commands that need LibTorch, which takes half a second of each start, and seconds on a small board. Only the program
// hansa-learning links it, and has all commands; `hansa` starts that program for these.
#pragma once
#include "tools/commands.h"

namespace hansa::tools {

struct CommandTitle {
  const char* name;
  const char* description;
};
inline constexpr CommandTitle new_title{
    "new", "Create a federation's folder: configuration, keys, model, a folder per client"};
inline constexpr CommandTitle model_title{"model", "Create, inspect, check, sign and export models"};
inline constexpr CommandTitle data_title{
    "data", "Describe a client's data, split data for experiments, and show what a client consumed"};
inline constexpr CommandTitle contract_title{
    "contract", "Derive and check the contract that every client's data must fit"};
inline constexpr CommandTitle simulate_title{
    "simulate", "Run a federation in this process: the quick way to try a configuration"};
inline constexpr CommandTitle evaluate_title{"evaluate", "Evaluate a model on labelled examples"};

// Each adds its command to `hansa`: the command itself, or no more than its title, for help and spelling.
struct LearningCommands {
  void (*add_new)(CLI::App& hansa, Outcome& outcome);
  void (*add_model)(CLI::App& hansa, Outcome& outcome);
  void (*add_data)(CLI::App& hansa, Outcome& outcome);
  void (*add_contract)(CLI::App& hansa, Outcome& outcome);
  void (*add_simulate)(CLI::App& hansa, Outcome& outcome);
  void (*add_evaluate)(CLI::App& hansa, Outcome& outcome);
};

// The whole program: reads the command line, runs one subcommand, and prints errors to stderr. Returns the exit code
// (docs/exit-codes.md).
[[nodiscard]] int run_hansa(int argc, char** argv, const LearningCommands& learning);

}  // namespace hansa::tools
