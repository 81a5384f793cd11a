// The client as a library: all that hansa-client does, in a program of one's own.
//
//   register_data_kind("camera", open_camera);                 // a data source of one's own, if need be
//   HANSA_TRY(const auto config, client::read_client_config("client.toml"));
//   return client::run(config, {.make_trainer = ...}, stop);   // until the federation is finished, or stop
//
// examples/embedded_client is a whole program. Link hansa::client.
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
};

// Connects, trains what the aggregator asks for, and reconnects for as long as it takes; the calling thread does it
// all but training, which has a thread of its own. Returns when the federation is finished or stop becomes true,
// at the latest 0.5 s later. Fails with what no retry can fix: a key or a state that cannot be used. Several
// clients may run in one process, each with a thread and a state folder of its own.
[[nodiscard]] Result<void> run(const ClientConfig& config, const Options& options,
                               const std::atomic<bool>& stop);

}  // namespace hansa::client
