#include "server/process/admission_folder.h"

#include <algorithm>

namespace hansa::server {

std::optional<std::string> AdmissionFolder::admit(const transport::PublicKey& key) {
  // Read anew at each handshake: some hundreds a second at most, and never stale.
  std::error_code error;
  std::optional<std::string> found;
  for (const auto& entry : std::filesystem::directory_iterator(folder_, error)) {
    if (entry.path().extension() != ".pub") continue;
    const auto admitted = transport::read_public_key(entry.path());
    if (!admitted || *admitted != key) continue;
    const std::string name = entry.path().stem().string();
    // A key under two names has the first in order, always.
    if (!found || name < *found) found = name;
  }
  return found;
}

}  // namespace hansa::server
