#include "server/process/internal/host.h"

#include <utility>

#include <fmt/format.h>

#include "common/utc.h"
#include "server/enrolment/admitted_folder.h"
#include "server/process/internal/enrolment_start.h"
#include "server/setup/run_setup.h"

namespace hansa::server::internal {

Host::Host(const Parts& parts, std::unique_ptr<AdmissionFolder> admission,
           std::unique_ptr<transport::ServerChannel> channel)
    : parts_(parts),
      admission_(std::move(admission)),
      admitted_(admitted_names(parts.config.admitted)),
      channel_(std::move(channel)),
      display_(parts.options.progress,
               fmt::format("federation {}  {}", parts.config.name, channel_->endpoint())),
      warn_(parts.log, display_, monitor()),
      statements_(parts.aggregator_key, *channel_, [this](const std::string& text) {
        warn_("the statements about keys are not sent: " + text, {.event = LogEvent::keys_refused});
      }) {
  if (const auto& secure = parts.config.secure_aggregation)
    certificates_.emplace(enrolment::CertificateScope{parts.config.admitted, parts.config.name, secure->root,
                                                      secure->epoch, std::nullopt});
}

Result<std::unique_ptr<Host>> Host::open(const Parts& parts) {
  transport::ServerChannelConfig channel_config;
  channel_config.bind = parts.bind.clients;
  channel_config.io_threads = parts.options.io_threads;
  channel_config.limits.connections_max = parts.config.limits.connections_max;
  HANSA_TRY_VOID(read_revoked_keys(parts.config.admitted));
  auto admission =
      std::make_unique<AdmissionFolder>(parts.config.admitted, AdmissionRules{parts.devices.key_overlap});
  HANSA_TRY(auto channel, transport::ServerChannel::open(channel_config, parts.key, *admission));
  HANSA_TRY(const auto public_key, parts.key.public_key());
  auto host = std::unique_ptr<Host>(new Host(parts, std::move(admission), std::move(channel)));
  host->display_.say(fmt::format("aggregator of federation \"{}\" at {}, public key {}", parts.config.name,
                                 host->channel_->endpoint(), public_key.text()));
  return host;
}

std::optional<DeviceRegister> Host::open_register() {
  auto out = DeviceRegister::open(parts_.devices.device_register);
  if (out) return std::move(*out);
  warn_of_no_register(out.error());
  return std::nullopt;
}

DeviceBook::Files Host::open_book() {
  auto out = DeviceBook::open(parts_.devices.device_register);
  if (out) return std::move(*out);
  warn_of_no_register(out.error());
  return {};
}

void Host::warn_of_no_register(const Error& error) {
  if (!std::exchange(has_warned_of_register_, true))
    warn_of_register("there is no register of devices, and no audit log: " + error.text());
}

void Host::warn_of_register(const std::string& text) const {
  warn_(text, {.event = LogEvent::register_failed});
}

Result<void> Host::start_enrolment() {
  if (!parts_.devices.enrolment) return {};
  HANSA_TRY(enrolment_, internal::start_enrolment(parts_.config, parts_.devices, parts_.bind.enrolment,
                                                  parts_.key, channel_->endpoint(), parts_.log));
  display_.say("devices join at " + enrolment_->endpoint());
  if (!parts_.devices.enrolment->root_key.empty())
    warn_(
        "the root key is on this machine ([enrolment] root_key), and signs every device with a valid token: "
        "for trials only");
  return {};
}

Endpoints Host::endpoints() const {
  return {channel_->endpoint(), enrolment_ ? enrolment_->endpoint() : std::string()};
}

bool Host::follow_admission(Engine& engine, Instant now) {
  if (const auto problem = admission_->take_problem())
    warn_("a device's next key cannot take the place of the present one: " + problem->text(),
          {.event = LogEvent::keys_refused});
  if (const auto problem = admission_->take_revocation_problem()) {
    warn_.error("no new device is admitted, because the revoked keys are not known: " + problem->text(),
                {.event = LogEvent::keys_refused});
  }
  if (const auto roots = statements_.look_due(now, utc_seconds_now()); roots && certificates_) {
    certificates_->trust(roots->newest, roots->former);
    engine.change_admission(admitted_, {}, now);
  }
  if (auto change = admission_->take_change()) {
    admitted_ = change->admitted;
    for (const std::string& client : change->removed) expiries_.erase(client);
    if (Monitor* const to = monitor()) to->on_devices_changed(now);
    if (certificates_) certificates_->forget(change->changed);
    engine.change_admission(std::move(change->admitted), std::move(change->removed), now);
    return true;
  }
  if (certificates_ && certificates_->is_due(utc_seconds_now())) engine.change_admission(admitted_, {}, now);
  return false;
}

std::optional<UtcSeconds> Host::first_expiry() const {
  std::optional<UtcSeconds> out;
  for (const auto& [client, expires] : expiries_)
    if (!out || expires < *out) out = expires;
  return out;
}

std::optional<secure_aggregation::Certificate> Host::certificate(const std::string& client) {
  if (!certificates_) return std::nullopt;
  auto found = certificates_->find(client, utc_seconds_now());
  if (!found.warning.empty()) warn_(found.warning);
  if (found.certificate) expiries_[client] = found.certificate->validity.expires;
  const std::string reason = found.certificate ? "" : found.certificate.error().text();
  if (std::string& logged = reasons_[client]; reason != logged) {
    if (reason.empty())
      parts_.log.info(client + " has a certificate now",
                      {.event = LogEvent::device_certified, .client = client});
    else
      warn_(client + " cannot take part: " + reason,
            {.event = LogEvent::device_uncertified, .client = client});
    logged = reason;
  }
  if (found.certificate) return std::move(*found.certificate);
  return std::nullopt;
}

}  // namespace hansa::server::internal
