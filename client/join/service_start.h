// Starts the package's service.
#pragma once
#include <filesystem>

namespace hansa::client {

// Asks systemd to start hansa-client.service and does not wait until it is ready, as it reads the data first. False if systemd
// does not run this machine (`runtime` is missing), or refuses; systemctl has then printed the reason.
[[nodiscard]] bool start_service(const std::filesystem::path& runtime = "/run/systemd/system");

}  // namespace hansa::client
