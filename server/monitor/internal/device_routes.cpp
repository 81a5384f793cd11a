#include "server/monitor/internal/device_routes.h"

#include <nlohmann/json.hpp>

#include "server/control/device_control.h"
#include "server/control/invitation.h"
#include "server/enrolment/admitted_folder.h"
#include "server/monitor/device_json.h"
#include "server/monitor/run_json.h"

namespace hansa::server::internal {
namespace {

Acting acting(UtcSeconds now) { return {"dashboard", now}; }

}  // namespace

Result<DeviceRoutes> DeviceRoutes::create(const FederationConfig& config) {
  HANSA_TRY(auto devices, read_devices_config(config.file, config.variables));
  return DeviceRoutes(config, std::move(devices));
}

bool DeviceRoutes::has_register() const {
  std::error_code error;
  return std::filesystem::is_regular_file(devices_config_.device_register, error);
}

Result<DeviceRoutes::Files*> DeviceRoutes::open() {
  if (!files_) {
    HANSA_TRY(auto devices, DeviceRegister::open(devices_config_.device_register));
    HANSA_TRY(auto history, DeviceHistory::open(devices_config_.device_register));
    files_ = std::make_unique<Files>(Files{std::move(devices), std::move(history)});
  }
  return files_.get();
}

Result<std::string> DeviceRoutes::list(UtcSeconds now, const LiveState* live) {
  HANSA_TRY(Files * files, open());
  HANSA_TRY(const auto devices, files->devices.devices());
  HANSA_TRY(const auto measures, files->history.measures());
  HANSA_TRY(const auto standings, files->history.standings());
  nlohmann::ordered_json out = nlohmann::ordered_json::array();
  for (const Device& device : devices) {
    DeviceFacts facts{device};
    if (const auto found = measures.find(device.name); found != measures.end())
      facts.measures = found->second;
    if (const auto found = standings.find(device.name); found != standings.end())
      facts.standing = found->second;
    out.push_back(api_device(facts, now, live));
  }
  return text_of(out);
}

Result<std::optional<std::string>> DeviceRoutes::find(const std::string& name, UtcSeconds now,
                                                      const LiveState* live) {
  HANSA_TRY(Files * files, open());
  HANSA_TRY(const auto device, files->devices.find(name));
  if (!device) return std::nullopt;
  DeviceFacts facts{*device};
  HANSA_TRY(const auto measures, files->history.measures());
  HANSA_TRY(const auto standings, files->history.standings());
  if (const auto found = measures.find(name); found != measures.end()) facts.measures = found->second;
  if (const auto found = standings.find(name); found != standings.end()) facts.standing = found->second;
  std::string out = text_of(api_device(facts, now, live));
  out.pop_back();
  return out;
}

Result<void> DeviceRoutes::act(Act act, const std::string& name, const std::string& reason, UtcSeconds now) {
  HANSA_TRY(Files * files, open());
  // Whatever an operator did with files comes before this act in the audit log.
  HANSA_TRY(const auto listed, list_admitted(config_.admitted));
  HANSA_TRY_VOID(files->devices.match_folder(listed, acting(now)));
  switch (act) {
    case Act::quarantine: return quarantine(config_, name, reason, files->devices, acting(now));
    case Act::revoke: return revoke(config_, name, reason, files->devices, acting(now));
    case Act::release:
      HANSA_TRY_VOID(release(config_, name, files->devices, files->history, acting(now)));
      return {};
  }
  return {};
}

Result<DeviceRoutes::Invited> DeviceRoutes::invite(std::uint32_t uses, std::uint64_t seconds,
                                                   const std::string& label, UtcSeconds now) {
  HANSA_TRY(Files * files, open());
  InvitationPlan plan;
  plan.label = label;
  plan.uses = uses;
  plan.seconds = seconds;
  HANSA_TRY(Invitation invitation, server::invite(config_, plan, files->devices, acting(now)));
  return Invited{std::move(invitation.token), invitation.expires};
}

Result<void> DeviceRoutes::record(const std::string& act, const std::string& subject, UtcSeconds now) {
  HANSA_TRY(Files * files, open());
  return files->devices.record(act, subject, "", acting(now));
}

}  // namespace hansa::server::internal
