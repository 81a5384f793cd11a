#include "client/config/secret_files.h"

namespace hansa::client {

std::vector<std::filesystem::path> secret_files(const ClientConfig& config) {
  std::vector<std::filesystem::path> out{config.key, config.state};
  if (config.follow)
    for (const auto* path : {&config.follow->broker.password_file, &config.follow->broker.key_file})
      if (!path->empty()) out.push_back(*path);
  return out;
}

}  // namespace hansa::client
