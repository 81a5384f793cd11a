// The aggregator's use of the register of devices: writes what is seen of them, and compares it with the folder of admitted
// clients. The file is used on the executor's thread, so that a slow disk delays no message.
//
// Without the register the aggregator works as well: a failure is one warning.
#pragma once
#include <filesystem>
#include <functional>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "common/time.h"
#include "common/utc.h"
#include "server/engine/executor.h"
#include "server/process/internal/device_activity.h"
#include "server/process/internal/round_history.h"
#include "server/register/device_history.h"
#include "server/register/device_register.h"

namespace hansa::server::internal {

class DeviceBook {
 public:
  using OnWarning = std::function<void(const std::string&)>;

  // The same file, open twice.
  struct Files {
    std::shared_ptr<DeviceRegister> devices;
    std::shared_ptr<DeviceHistory> history;
  };
  // Fails (storage) if the file cannot be used.
  [[nodiscard]] static Result<Files> open(const std::filesystem::path& file);

  // files: null if the register could not be opened: nothing is written. run: the name of the run.
  DeviceBook(Files files, std::string run, std::filesystem::path admitted, Executor& executor,
             OnWarning on_warning);

  void on_message(std::string_view client, std::span<const std::byte> message, std::uint64_t bulk_bytes,
                  Instant now);
  void on_committed(const RoundRecord& record);
  // Compares the register with the folder.
  void match_folder();
  // Writes what was seen, at most every ten seconds.
  void write_due(Instant now);
  // Writes the rest, on this thread. After the executor's last job.
  void finish();

 private:
  // Work on the files gets them on the executor's thread; its failure is reported on this one.
  void run(std::function<Result<void>(const Files&)> work);
  // What is to be written; empty if nothing was seen.
  [[nodiscard]] std::function<Result<void>(const Files&)> take_seen();

  Files files_;
  std::filesystem::path admitted_;
  Executor& executor_;
  OnWarning on_warning_;
  DeviceActivityLog activity_;
  RoundHistory rounds_;
  Instant next_;
  bool has_warned_ = false;
};

}  // namespace hansa::server::internal
