// client.toml, the configuration of a device's client, as a struct. client_schema.cpp lists every key with its meaning,
// unit, range and default; docs/configuration.md is generated from it.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "common/config/variables.h"
#include "common/digest.h"
#include "common/error.h"
#include "common/time.h"
#include "learning/data/data_config.h"
#include "learning/data/follow/follow_config.h"
#include "protocols/secure_aggregation/identity.h"
#include "protocols/secure_aggregation/setup.h"
#include "protocols/transport/keys.h"

namespace hansa::client {

enum class AfterFederation : std::uint8_t {
  stop,
  stay
};  // what the client does when the federation is finished

struct ResourcesConfig {
  int threads = 1;  // LibTorch threads: 1 to 1,024
  int nice = 0;  // added to the process's niceness: 0 to 19
  std::uint64_t memory_mib_max = 0;  // tasks estimated to need more are declined; 0: no limit
  // Of hansa-trainer, the process that trains.
  std::uint64_t trainer_memory_mib_max = 0;  // address space that a training may add; 0: the device's memory
  std::uint64_t trainer_cpu_s_max = 0;  // processor time of one training; 0: no limit
  Duration trainer_stall = std::chrono::seconds(300);  // a training without a step for this time is ended
  Duration trainer_idle = std::chrono::seconds(20);  // the process ends after this time without a training
};

struct SecureAggregationConfig {
  secure_aggregation::IdentityKey root{};
  bool required = true;
  secure_aggregation::Policy policy;
};

// Which archives the client trains: client/agent/model_policy.h.
struct ModelConfig {
  std::optional<secure_aggregation::IdentityKey> root;  // [model] root, or else that of secure aggregation
  std::optional<Digest> archive;
  std::optional<Digest> layout;
  bool train_unapproved = false;  // [model] unapproved = "train"
};

// The models that the client writes for programs of its device.
enum class WriteModels : std::uint8_t { never, at_end, each_round };

struct ServingConfig {
  std::filesystem::path folder;
  WriteModels write = WriteModels::never;
};

struct ClientConfig {
  std::filesystem::path file;
  config::Variables variables;  // with which the file was read
  std::string name;  // the name of the admitted key; for logs and simulations
  std::string federation;  // must match the aggregator's [federation] name
  std::vector<std::string> addresses;  // tried in turn; read again at every reconnect
  std::string proxy;  // socks5://HOST:PORT or http://HOST:PORT; empty: none
  std::string enrolment;  // where the aggregator enrols devices, for a change of the key; empty: not known
  transport::PublicKey aggregator_key;  // [aggregator] public_key = "40 characters" or public_key_file
  std::filesystem::path key;  // this device's secret key file
  std::filesystem::path
      state;  // folder for what the client keeps: archives, consumed data, kept vectors, its lock
  learning::DataConfig data;
  std::optional<learning::FollowConfig> follow;  // for data that arrives
  std::optional<SecureAggregationConfig> secure_aggregation;  // if a root key is set
  ModelConfig model;
  ResourcesConfig resources;
  ServingConfig serving;
  AfterFederation after_federation = AfterFederation::stop;
  bool report_details = false;  // send the full texts of errors, which may quote data
  Duration reconnect_min = std::chrono::milliseconds(500);  // doubles up to reconnect_max, with jitter
  Duration reconnect_max = std::chrono::seconds(30);
};

// Variables replace values of the file, and may be the whole configuration: then the file may be missing. Relative paths
// are relative to the file's folder, also those in variables.
[[nodiscard]] Result<ClientConfig> read_client_config(const std::filesystem::path& file,
                                                      const config::Variables& variables = {});

}  // namespace hansa::client
