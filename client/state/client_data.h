// A client's data and state as client.toml names them.
#pragma once
#include <memory>

#include "client/config/client_config.h"
#include "client/state/followed_data.h"
#include "client/state/state_store.h"

namespace hansa::client {

enum class KeepState : std::uint8_t { in_folder, in_memory };

struct ClientData {
  std::shared_ptr<StateStore> state;
  std::shared_ptr<learning::DataSupply> supply;
  std::shared_ptr<FollowedData> followed;  // the supply again, if data goes on arriving
};

// open opens files (learning::open_examples), fixed is the supply of data that stays. In memory: for simulations,
// which leave no trace; there a broker cannot be followed.
[[nodiscard]] Result<ClientData> open_client_data(const ClientConfig& config, KeepState keep,
                                                  learning::OpenDataSource open,
                                                  std::shared_ptr<learning::DataSupply> fixed);

}  // namespace hansa::client
