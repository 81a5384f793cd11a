// Writes the hash of the audit log's last entry to the aggregator's log, which the operator keeps elsewhere: whoever can
// write the register's file can cut off the end of the audit log, or write all of it again, so that `hansa audit verify`
// alone finds nothing.
//
// Without the register nothing is written. One thread; the file is read on the executor's.
#pragma once
#include <memory>
#include <optional>

#include "common/logging.h"
#include "common/time.h"
#include "server/engine/executor.h"
#include "server/register/device_register.h"

namespace hansa::server::internal {

class AuditWitness {
 public:
  AuditWitness(std::optional<DeviceRegister> devices, Executor& executor, const Logger& log);

  // Looks, at most every ten seconds, whether there are new entries, and whether the last one that was seen is still there.
  // The first time, and after each change, the last entry's number and hash are logged; that an entry is gone is an error.
  void look_due(Instant now);
  // The same on this thread. After the executor's last job.
  void finish();

 private:
  struct Look {
    std::optional<AuditEntry> last;
    bool seen_is_gone = false;
  };
  [[nodiscard]] static Result<Look> look(DeviceRegister& devices, const std::optional<AuditEntry>& seen);
  void report(const Result<Look>& look);

  std::shared_ptr<DeviceRegister> devices_;
  Executor& executor_;
  const Logger& log_;
  std::optional<AuditEntry> seen_;  // the last entry that was logged
  bool is_looking_ = false;
  bool has_failed_ = false;
  Instant next_;
};

}  // namespace hansa::server::internal
