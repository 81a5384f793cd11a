// The trainer that Hansa ships: LibTorch in this process, on one supply of data.
#pragma once
#include <cstdint>
#include <memory>

#include "learning/data/data_config.h"
#include "learning/data_supply.h"
#include "learning/trainer.h"

namespace hansa::learning {

class MethodRegistry;  // learning/methods/registry.h

struct LocalTrainerConfig {
  DataConfig data;
  int threads = 1;  // LibTorch intra-op threads, process wide
  std::uint64_t memory_bytes_max = 0;  // refuse a task estimated to need more; 0: no guard
  std::shared_ptr<DataSupply> supply = {};  // used instead of data if it is not null
  // How the supply's examples are scaled by the trainer. With `data` it is that of the data.
  Scaling scale = Scaling::none;
  std::shared_ptr<const MethodRegistry> methods = {};  // null: those that Hansa ships
};

// Data is opened at the first use, so that a client with bad data still connects and can say so.
[[nodiscard]] std::unique_ptr<Trainer> make_local_trainer(const LocalTrainerConfig& config);

}  // namespace hansa::learning
