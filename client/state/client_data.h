// A client's data and state, as configured in client.toml.
#pragma once
#include <memory>

#include "client/config/client_config.h"
#include "client/ledger/device_ledger.h"
#include "client/ledger/opened_sums_store.h"
#include "client/state/followed_data.h"
#include "client/state/state_store.h"

namespace hansa::client {

enum class KeepState : std::uint8_t { in_folder, in_memory };

struct ClientData {
  std::shared_ptr<StateStore> state;
  std::shared_ptr<DeviceLedger> ledger;  // stored in the state
  std::shared_ptr<OpenedSumsStore> opened_sums;  // likewise
  std::shared_ptr<learning::DataSupply> supply;
  std::shared_ptr<FollowedData> followed;  // the same object as the supply if data arrives; otherwise null
};

// open: opens data files (learning::open_examples). fixed: the supply of a client that does not follow arriving data. A
// state in memory is for simulations, which write nothing to the device and cannot follow a broker.
[[nodiscard]] Result<ClientData> open_client_data(const ClientConfig& config, KeepState keep,
                                                  learning::OpenDataSource open,
                                                  std::shared_ptr<learning::DataSupply> fixed);

}  // namespace hansa::client
