// The keys to which devices change.
#include <fmt/format.h>

#include "server/register/device_register.h"
#include "server/register/internal/register_state.h"

namespace hansa::server {
namespace {

using internal::blob_of;
using sqlite::Statement;

tl::unexpected<Error> fail_no_request(const std::string& device) {
  return fail(ErrorCode::usage, device, "does not ask for a change of its key",
              "\"hansa approve\" lists what waits");
}

}  // namespace

Result<std::vector<NextKey>> DeviceRegister::next_keys() {
  return sqlite::guarded(state_->file, "reading the devices' next keys", [&] {
    std::vector<NextKey> out;
    Statement query(*state_->connection,
                    (std::string(internal::next_key_columns) + "ORDER BY device").c_str());
    query.start();
    while (query.next()) out.push_back(internal::read_next_key(query));
    return out;
  });
}

Result<std::optional<NextKey>> DeviceRegister::find_next_key(const std::string& device) {
  return sqlite::guarded(state_->file, "reading a device's next key",
                         [&] { return state_->find_next(device); });
}

Result<NextKey> DeviceRegister::add_next_key(const RotationApplicant& applicant, const Acting& acting) {
  return state_->change("adding a device's next key", [&]() -> Result<NextKey> {
    const std::string& device = applicant.device;
    const auto known = state_->find_where("WHERE name = ?", device);
    if (!known || known->state != DeviceState::admitted)
      return fail(ErrorCode::refused, "device " + device,
                  known ? fmt::format("is {}, and cannot change its key", name(known->state))
                        : std::string("is not known"),
                  "ask the operator");
    if (const auto next = state_->find_next(device)) {
      if (next->state != NextKeyState::denied)
        return fail(ErrorCode::refused, "device " + device, "changes to another key already",
                    "if that key is lost, or not yours, tell the operator: hansa approve --deny " + device);
      if (next->key == applicant.key)
        return fail(ErrorCode::refused, "device " + device, "was refused this change of its key",
                    "ask the operator");
      state_->remove_next(device);
    }
    if (state_->knows(applicant.key, applicant.identity))
      return fail(ErrorCode::refused, "the device's next key", "is known already",
                  "the device makes a new one: remove its file client.key.next");
    NextKey out{device, NextKeyState::pending, applicant.key, applicant.identity, acting.at, {}};
    const auto identity = blob_of(out.identity);
    Statement(*state_->connection,
              "INSERT INTO next_keys (device, state, key, identity, since) VALUES (?, ?, ?, ?, ?)")
        .run(out.device, std::string(name(out.state)), out.key.text(), std::span<const std::byte>(identity),
             out.since.value);
    state_->append(
        acting, "device.key_requested", device,
        fmt::format("from key {} to {}, from {}", known->key.text(), out.key.text(), applicant.from));
    return out;
  });
}

Result<void> DeviceRegister::approve_next_key(const std::string& device, const Device::Certified& certificate,
                                              const Acting& acting) {
  return state_->change("approving a device's next key", [&]() -> Result<void> {
    const auto next = state_->find_next(device);
    if (!next || next->state != NextKeyState::pending) return fail_no_request(device);
    const auto signature = blob_of(certificate.signature);
    Statement(*state_->connection,
              "UPDATE next_keys SET state = 'certified', epoch = ?, issued = ?, expires = ?, signature = ? "
              "WHERE device = ?")
        .run(certificate.validity.epoch, certificate.validity.issued.value,
             certificate.validity.expires.value, std::span<const std::byte>(signature), device);
    state_->append(acting, "device.key_certified", device,
                   fmt::format("key {}, until {}, epoch {}", next->key.text(),
                               rfc3339_text(certificate.validity.expires), certificate.validity.epoch));
    return {};
  });
}

Result<void> DeviceRegister::deny_next_key(const std::string& device, const Acting& acting) {
  return state_->change("denying a device's next key", [&]() -> Result<void> {
    const auto next = state_->find_next(device);
    if (!next || next->state == NextKeyState::denied) return fail_no_request(device);
    Statement(*state_->connection,
              "UPDATE next_keys SET state = 'denied', epoch = NULL, issued = NULL, expires = NULL, "
              "signature = NULL WHERE device = ?")
        .run(device);
    state_->append(acting, "device.key_denied", device, "key " + next->key.text());
    return {};
  });
}

void DeviceRegister::State::complete_rotation(const Device& device, const NextKey& next,
                                              const Acting& acting) {
  const auto identity = blob_of(next.identity);
  const auto signature = blob_of(next.certificate->signature);
  const secure_aggregation::Validity& validity = next.certificate->validity;
  Statement(
      *connection,
      "UPDATE devices SET state = 'admitted', key = ?, identity = ?, epoch = ?, issued = ?, expires = ?, "
      "signature = ? WHERE name = ?")
      .run(next.key.text(), std::span<const std::byte>(identity), validity.epoch, validity.issued.value,
           validity.expires.value, std::span<const std::byte>(signature), device.name);
  remove_next(device.name);
  append(acting, "device.key_changed", device.name,
         fmt::format("from key {} to {}", device.key.text(), next.key.text()));
}

}  // namespace hansa::server
