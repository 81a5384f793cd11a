#include "client/state/client_data.h"

#include "client/ledger/caching_ledger.h"
#include "client/state/state_ledger.h"
#include "client/state/state_opened_sums.h"

namespace hansa::client {

Result<ClientData> open_client_data(const ClientConfig& config, KeepState keep, learning::OpenDataSource open,
                                    std::shared_ptr<learning::DataSupply> fixed) {
  ClientData out;
  HANSA_TRY(out.state,
            keep == KeepState::in_folder ? StateStore::open(config.state) : StateStore::in_memory());
  ApplyOptions options;
  if (config.follow) options.replay_max = config.follow->replay_max;
  out.ledger = std::make_shared<StateLedger>(out.state, options);
  out.opened_sums = std::make_shared<StateOpenedSums>(out.state);
  // A state in memory has its vectors there already.
  if (keep == KeepState::in_folder) out.ledger = std::make_shared<CachingLedger>(std::move(out.ledger));
  out.supply = std::move(fixed);
  if (!config.follow) return out;
  if (keep == KeepState::in_memory && config.follow->from == learning::FollowFrom::broker)
    return fail(ErrorCode::usage, config.file.string(), "follows a broker, which a simulation does not do",
                "simulate with a file of its messages: [data] file");
  FollowedDataConfig followed;
  followed.data = config.data;
  followed.follow = *config.follow;
  // The examples are gone with the state: files that it has consumed must stay for the client.
  if (keep == KeepState::in_memory) followed.follow.consumed_files = learning::ConsumedFiles::keep;
  followed.consumer = "hansa-" + config.federation + "-" + config.name;
  followed.open = std::move(open);
  out.followed = std::make_shared<FollowedData>(std::move(followed), out.state);
  out.supply = out.followed;
  return out;
}

}  // namespace hansa::client
