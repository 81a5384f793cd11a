// hansa-client: the engine on a ZeroMQ channel, with a trainer on a thread of its own.
#pragma once
#include <atomic>
#include <memory>

#include "client/config/client_config.h"
#include "client/state/client_data.h"
#include "common/error.h"
#include "common/logging.h"
#include "common/service_manager.h"
#include "learning/model_saver.h"
#include "learning/trainer.h"

namespace hansa::client {

// saver: makes the files of [serving], on the thread that trains; null if this program cannot. Both outlive the call.
// manager: hears that the client serves, to whom it is connected, and that its loop is alive.
// Runs until the federation is finished or `stop` becomes true (set by signals), and reconnects without limit. Fails
// only with an error that a retry cannot fix, with which the program then exits.
[[nodiscard]] Result<void> run_client(const ClientConfig& config, const ClientData& data,
                                      learning::Trainer& trainer, learning::ModelSaver* saver,
                                      const Logger& log, ServiceManager& manager,
                                      const std::atomic<bool>& stop);

}  // namespace hansa::client
