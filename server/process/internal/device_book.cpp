#include "server/process/internal/device_book.h"

#include <utility>

#include "server/enrolment/admitted_folder.h"

namespace hansa::server::internal {
namespace {

Acting by_aggregator() { return {"aggregator", utc_seconds_now()}; }

}  // namespace

DeviceBook::DeviceBook(std::optional<DeviceRegister> devices, std::filesystem::path admitted,
                       Executor& executor, OnWarning on_warning)
    : devices_(devices ? std::make_shared<DeviceRegister>(std::move(*devices)) : nullptr),
      admitted_(std::move(admitted)),
      executor_(executor),
      on_warning_(std::move(on_warning)) {}

// `work` gets the register on the executor's thread; its failure is reported on this one.
template <class Work>
void DeviceBook::run(Work work) {
  if (!devices_) return;
  auto result = std::make_shared<Result<void>>();
  executor_.run([devices = devices_, work = std::move(work), result] { *result = work(*devices); },
                [this, result] {
                  if (*result || std::exchange(has_warned_, true)) return;
                  on_warning_("what is seen of devices is not recorded: " + result->error().text());
                });
}

void DeviceBook::match_folder() {
  run([admitted = admitted_](DeviceRegister& devices) -> Result<void> {
    HANSA_TRY(const auto listed, list_admitted(admitted));
    HANSA_TRY_VOID(devices.match_folder(listed, by_aggregator()));
    return {};
  });
}

void DeviceBook::write_due(Instant now) {
  if (auto seen = activity_.take_due(now); !seen.empty()) write(std::move(seen));
}

void DeviceBook::write(DeviceActivityLog::Seen seen) {
  run([seen = std::move(seen)](DeviceRegister& devices) { return devices.add_activity(seen); });
}

void DeviceBook::finish() {
  if (!devices_) return;
  if (const auto seen = activity_.take_all(); !seen.empty())
    if (const auto written = devices_->add_activity(seen); !written) on_warning_(written.error().text());
}

}  // namespace hansa::server::internal
