#include "server/process/internal/device_book.h"

#include <utility>

#include "server/enrolment/admitted_folder.h"

namespace hansa::server::internal {
namespace {

constexpr Duration pause = std::chrono::seconds(10);

Acting by_aggregator() { return {"aggregator", utc_seconds_now()}; }

}  // namespace

Result<DeviceBook::Files> DeviceBook::open(const std::filesystem::path& file) {
  HANSA_TRY(auto devices, DeviceRegister::open(file));
  HANSA_TRY(auto history, DeviceHistory::open(file));
  return Files{std::make_shared<DeviceRegister>(std::move(devices)),
               std::make_shared<DeviceHistory>(std::move(history))};
}

DeviceBook::DeviceBook(Files files, std::string run, std::filesystem::path admitted, Executor& executor,
                       OnWarning on_warning)
    : files_(std::move(files)),
      admitted_(std::move(admitted)),
      executor_(executor),
      on_warning_(std::move(on_warning)),
      rounds_(std::move(run)) {}

void DeviceBook::run(std::function<Result<void>(const Files&)> work) {
  if (!files_.devices) return;
  auto result = std::make_shared<Result<void>>();
  executor_.run([files = files_, work = std::move(work), result] { *result = work(files); },
                [this, result] {
                  if (*result || std::exchange(has_warned_, true)) return;
                  on_warning_("what is seen of devices is not recorded: " + result->error().text());
                });
}

void DeviceBook::on_message(std::string_view client, std::span<const std::byte> message,
                            std::uint64_t bulk_bytes, Instant now) {
  activity_.on_message(client, message, utc_seconds_now());
  rounds_.on_message(client, message, bulk_bytes, now);
}

void DeviceBook::on_committed(const RoundRecord& record) {
  activity_.on_committed(record);
  rounds_.on_committed(record, activity_.examples(), utc_seconds_now());
}

void DeviceBook::match_folder() {
  run([admitted = admitted_](const Files& files) -> Result<void> {
    HANSA_TRY(const auto listed, list_admitted(admitted));
    HANSA_TRY_VOID(files.devices->match_folder(listed, by_aggregator()));
    return {};
  });
}

std::function<Result<void>(const DeviceBook::Files&)> DeviceBook::take_seen() {
  auto activity = activity_.take();
  auto rounds = rounds_.take();
  if (activity.empty() && rounds.empty()) return nullptr;
  return [activity = std::move(activity), rounds = std::move(rounds)](const Files& files) -> Result<void> {
    HANSA_TRY_VOID(files.devices->add_activity(activity));
    return files.history->add(rounds);
  };
}

void DeviceBook::write_due(Instant now) {
  if (now < next_) return;
  next_ = now + pause;
  if (auto write = take_seen()) run(std::move(write));
}

void DeviceBook::finish() {
  if (!files_.devices) return;
  if (const auto write = take_seen())
    if (const auto written = write(files_); !written) on_warning_(written.error().text());
}

}  // namespace hansa::server::internal
