// The clients that the operator admitted: a folder with files NAME.pub. Adding or removing a file takes effect with the
// next connection, overwriting one within a second.
#pragma once
#include <filesystem>
#include <map>
#include <optional>
#include <string>

#include "common/time.h"
#include "protocols/transport/server_channel.h"

namespace hansa::server {

// Called on the channel's ZAP thread only.
class AdmissionFolder final : public transport::Admission {
 public:
  explicit AdmissionFolder(std::filesystem::path folder) : folder_(std::move(folder)) {}
  std::optional<std::string> admit(const transport::PublicKey& key) override;

 private:
  struct File {
    std::filesystem::file_time_type written;
    std::uintmax_t bytes = 0;
    std::optional<transport::PublicKey> key;  // empty: the file cannot be read
  };
  [[nodiscard]] bool is_current() const;
  void look_again();

  std::filesystem::path folder_;
  std::filesystem::file_time_type folder_written_;
  Instant looked_at_;
  std::map<std::string, File, std::less<>> files_;  // by name
  std::map<transport::PublicKey, std::string> names_;
};

}  // namespace hansa::server
