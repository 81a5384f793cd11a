// What rounds have shown about the devices: how fast they are, which rounds were lost and why, and their faults, for which
// they are left out of cohorts for a time (server/selection/reliability.h). In the file of the register.
//
// The aggregator writes it, and the operator's commands read it at the same time. An object is used by one thread; several
// objects may have the same file open.
#pragma once
#include <cstdint>
#include <filesystem>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/identifiers.h"
#include "common/utc.h"
#include "server/register/device_register.h"

namespace hansa::server {

inline constexpr std::size_t losses_kept = 50;  // of each device, the last ones

// A round in which a device was selected and not counted.
struct LostRound {
  std::string run;
  RoundId round;
  UtcSeconds at;
  std::string reason;
};

struct DeviceMeasures {
  std::optional<double> examples_per_s = {};  // of its last counted training
  std::optional<double> upload_bytes_per_s = {};  // of its last upload that was measured
  std::uint64_t bytes_up = 0;  // in all committed rounds
  std::uint64_t bytes_down = 0;
};

struct DeviceStanding {
  std::uint32_t faults = 0;
  std::uint32_t counted_in_a_row = 0;
  UtcSeconds left_out_until = {};  // 0: it may take part
};

class DeviceHistory {
 public:
  // Creates the file if it is missing. Fails (storage) if it is damaged, or of a later version.
  [[nodiscard]] static Result<DeviceHistory> open(const std::filesystem::path& file);
  ~DeviceHistory();
  DeviceHistory(DeviceHistory&&) noexcept;
  DeviceHistory& operator=(DeviceHistory&&) noexcept;

  // What was seen of a device since the last call: speeds replace the earlier ones, bytes are added.
  struct Seen {
    DeviceMeasures measures;
    std::vector<LostRound> losses;
  };
  [[nodiscard]] Result<void> add(const std::map<std::string, Seen>& seen);
  [[nodiscard]] Result<std::map<std::string, DeviceMeasures>> measures();
  // The last ones of a device, the newest first.
  [[nodiscard]] Result<std::vector<LostRound>> losses(const std::string& device);

  // Of devices with faults. A device that the operator has released is not among them.
  [[nodiscard]] Result<std::map<std::string, DeviceStanding>> standings();
  // The devices that the operator has released since the last replace_standings().
  [[nodiscard]] Result<std::vector<std::string>> released();
  // The standings of all devices with faults, in place of those before. Returns the devices that the operator has released:
  // their standings are forgotten, and the caller forgets them too.
  [[nodiscard]] Result<std::vector<std::string>> replace_standings(
      const std::map<std::string, DeviceStanding>& current);
  // Forgets the faults of a device, with an entry in the audit log. False: it has none.
  [[nodiscard]] Result<bool> release(const std::string& device, const Acting& acting);

 private:
  struct State;
  explicit DeviceHistory(std::unique_ptr<State> state);
  std::unique_ptr<State> state_;
};

}  // namespace hansa::server
