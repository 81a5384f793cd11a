// The values behind `follow = true` in [data]: examples that arrive while the client runs.
#pragma once
#include <cstdint>
#include <filesystem>
#include <string>

namespace hansa::learning {

enum class FollowFrom : std::uint8_t { file, folder, broker };
enum class BadRows : std::uint8_t { refuse, skip };
enum class ConsumedFiles : std::uint8_t { keep, remove };
enum class WithoutNew : std::uint8_t { train, decline };

struct BrokerConfig {
  std::string host;
  std::uint16_t port = 0;
  bool tls = true;  // plain connections are allowed to this machine only
  std::string topic;  // a topic filter; + and # are allowed
  std::filesystem::path ca_file;  // empty: the system's certificate authorities
  std::filesystem::path certificate_file, key_file;  // of this client; both or neither
  std::string user;
  std::filesystem::path password_file;

  // "mqtts://host:8883"
  [[nodiscard]] std::string address() const;
};

struct FollowConfig {
  FollowFrom from = FollowFrom::file;  // the file is DataConfig::file
  std::filesystem::path folder;
  BrokerConfig broker;
  std::string sequence;  // sqlite: the column that numbers the rows
  BadRows bad_rows = BadRows::refuse;
  ConsumedFiles consumed_files = ConsumedFiles::keep;
  WithoutNew without_new = WithoutNew::train;
  std::uint64_t new_max = 10'000;  // examples that may wait for training
  std::uint64_t replay_max = 2'000;  // examples that were trained on and are kept for replay
};

}  // namespace hansa::learning
