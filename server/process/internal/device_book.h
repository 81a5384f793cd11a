// The aggregator's use of the register of devices: writes what is seen of them, and compares it with the folder of admitted
// clients. The file is used on the executor's thread, so that a slow disk delays no message.
//
// Without the register the aggregator works as well: a failure is one warning.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "common/time.h"
#include "server/engine/executor.h"
#include "server/process/internal/device_activity.h"
#include "server/register/device_register.h"

namespace hansa::server::internal {

class DeviceBook {
 public:
  using OnWarning = std::function<void(const std::string&)>;

  // The register; empty: it could not be opened, and nothing is written.
  DeviceBook(std::optional<DeviceRegister> devices, std::filesystem::path admitted, Executor& executor,
             OnWarning on_warning);

  [[nodiscard]] DeviceActivityLog& activity() { return activity_; }
  // Compares the register with the folder.
  void match_folder();
  // Writes what was seen, if it is time.
  void write_due(Instant now);
  // Writes the rest, on this thread. After the executor's last job.
  void finish();

 private:
  void write(DeviceActivityLog::Seen seen);
  template <class Work>
  void run(Work work);

  std::shared_ptr<DeviceRegister> devices_;
  std::filesystem::path admitted_;
  Executor& executor_;
  OnWarning on_warning_;
  DeviceActivityLog activity_;
  bool has_warned_ = false;
};

}  // namespace hansa::server::internal
