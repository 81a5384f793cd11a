#include "server/process/internal/audit_witness.h"

#include <utility>

#include <fmt/format.h>

namespace hansa::server::internal {
namespace {

constexpr Duration pause = std::chrono::seconds(10);

}  // namespace

AuditWitness::AuditWitness(std::optional<DeviceRegister> devices, Executor& executor, const Logger& log)
    : devices_(devices ? std::make_shared<DeviceRegister>(std::move(*devices)) : nullptr),
      executor_(executor),
      log_(log) {}

Result<AuditWitness::Look> AuditWitness::look(DeviceRegister& devices,
                                              const std::optional<AuditEntry>& seen) {
  Look out;
  HANSA_TRY(out.last, devices.last_audit_entry());
  if (seen) {
    HANSA_TRY(const auto still, devices.audit_entry(seen->number));
    out.seen_is_gone = !still || still->hash != seen->hash;
  }
  return out;
}

void AuditWitness::report(const Result<Look>& look) {
  if (!look) {
    if (!std::exchange(has_failed_, true))
      log_.warning("the audit log is not watched: " + look.error().text(),
                   {.event = LogEvent::register_failed});
    return;
  }
  has_failed_ = false;
  if (look->seen_is_gone)
    log_.error(
        fmt::format("audit log: entry {} with the hash {} is not there any more: someone has changed the "
                    "register",
                    seen_->number, seen_->hash.hex()),
        {.event = LogEvent::audit_broken});
  if (look->last && (!seen_ || look->seen_is_gone || look->last->number != seen_->number))
    log_.info(fmt::format("audit log: {} entries, the last one's hash: {}", look->last->number,
                          look->last->hash.hex()),
              {.event = LogEvent::audit_noted});
  seen_ = look->last;
}

void AuditWitness::look_due(Instant now) {
  if (!devices_ || is_looking_ || now < next_) return;
  next_ = now + pause;
  is_looking_ = true;
  const auto result = std::make_shared<Result<Look>>();
  executor_.run([devices = devices_, seen = seen_, result] { *result = look(*devices, seen); },
                [this, result] {
                  is_looking_ = false;
                  report(*result);
                });
}

void AuditWitness::finish() {
  if (devices_) report(look(*devices_, seen_));
}

}  // namespace hansa::server::internal
