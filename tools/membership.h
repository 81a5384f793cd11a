// Adds clients to a federation's folder and removes them from it, also while its aggregator runs: the aggregator
// watches the folder of admitted keys.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/utc.h"

namespace hansa::tools {

struct AddPlan {
  std::filesystem::path folder = ".";  // with federation.toml
  std::string name;
  std::filesystem::path root;  // the operator's secret root key; empty: keys/root.key in the folder
  // Of the aggregator; empty: those of another client in sites/, else the aggregator's own address.
  std::vector<std::string> addresses;
  std::string data = {};  // lines of [data] in a new client's client.toml; empty: an example to fill in
};

enum class Membership : std::uint8_t {
  created,  // a new key and a new folder
  returned,  // the key that the folder of a removed client holds
};

struct Added {
  Membership membership = Membership::created;
  std::filesystem::path site;
  UtcSeconds expires;  // of the certificate
  std::string address;  // the first one that the client tries
  std::vector<std::string> notes;  // what remains to do
};

// Makes sites/NAME and admits its key. Fails (usage) if the name is admitted already, if the root key is not the one
// that federation.toml names, or if plan.data makes client.toml invalid.
[[nodiscard]] Result<Added> add_client(const AddPlan& plan);

struct Removed {
  std::filesystem::path site;  // empty: the folder has none for this client
  std::size_t remaining = 0;  // admitted clients
  std::vector<std::string> notes;
};

// Removes the client's key from the admitted ones, and keeps its site. Fails (usage) if the name is not admitted.
[[nodiscard]] Result<Removed> remove_client(const std::filesystem::path& folder, const std::string& name);

}  // namespace hansa::tools
