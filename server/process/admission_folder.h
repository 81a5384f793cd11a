// The clients that the operator admitted: a folder of NAME.pub. A file that is added or removed counts
// from the next connection on.
#pragma once
#include <filesystem>
#include <optional>
#include <string>

#include "protocols/transport/server_channel.h"

namespace hansa::server {

// Called on the channel's ZAP thread only.
class AdmissionFolder final : public transport::Admission {
 public:
  explicit AdmissionFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::optional<std::string> admit(const transport::PublicKey& key) override;

 private:
  std::filesystem::path folder_;
};

}  // namespace hansa::server
