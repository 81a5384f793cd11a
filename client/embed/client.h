// The client as a library: all that hansa-client does, in your own program.
//
//   register_data_kind("camera", open_camera);                 // your own data source, if you need one
//   HANSA_TRY(const auto config, client::read_client_config("client.toml"));
//   return client::run(config, {.make_trainer = ...}, stop);   // until the federation is finished, or stop
//
// examples/embedded_client is a complete program. Link hansa::client.
#pragma once
#include <atomic>
#include <functional>
#include <memory>

#include "client/config/client_config.h"
#include "common/error.h"
#include "common/logging.h"
#include "learning/local_trainer.h"

namespace hansa::client {

using MakeTrainer = std::function<std::unique_ptr<learning::Trainer>(const learning::LocalTrainerConfig&)>;

struct Options {
  // The federation's archive by default; learning/module_trainer.h brings a torch::nn::Module.
  MakeTrainer make_trainer = learning::make_local_trainer;
  LogLevel log_level = LogLevel::info;  // to stderr
  LogFormat log_format = LogFormat::text;
};

// Connects, trains when the aggregator asks for it, and reconnects without limit. Runs on the calling thread, except
// that training and the reception of arriving data have threads of their own. Returns at most 0.5 s after the
// federation is finished or `stop` becomes true. Fails on errors that a retry cannot fix, such as an unusable key or
// state. Several clients may run in one process, each with its own thread and state folder.
[[nodiscard]] Result<void> run(const ClientConfig& config, const Options& options,
                               const std::atomic<bool>& stop);

}  // namespace hansa::client
