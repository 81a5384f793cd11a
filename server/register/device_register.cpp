#include "server/register/device_register.h"

#include <algorithm>
#include <array>

#include <fmt/format.h>
#include <pwd.h>
#include <sqlite3.h>
#include <unistd.h>

#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"
#include "common/sqlite/statement.h"
#include "server/register/internal/register_state.h"
#include "server/register/internal/schema.h"

namespace hansa::server {
namespace {

using internal::blob_of;
using internal::read_device;
using internal::read_token;
using secure_aggregation::IdentityKey;
using sqlite::Statement;

constexpr std::size_t text_bytes_max = 1'024;  // of a label or of details

constexpr const char* audit_columns = "SELECT number, at, actor, act, subject, details, hash FROM audit ";
AuditEntry read_audit_entry(Statement& row) {
  AuditEntry out;
  row.read(out.number, out.at.value, out.actor, out.act, out.subject, out.details, out.hash);
  return out;
}

std::string short_id(const enrolment::TokenId& id) {
  std::string out;
  for (const std::uint8_t byte : id) out += fmt::format("{:02x}", byte);
  return out;
}

}  // namespace

std::string_view name(NextKeyState state) {
  switch (state) {
    case NextKeyState::pending: return "pending";
    case NextKeyState::certified: return "certified";
    case NextKeyState::denied: return "denied";
  }
  return "";
}

std::string_view name(DeviceState state) {
  switch (state) {
    case DeviceState::pending: return "pending";
    case DeviceState::certified: return "certified";
    case DeviceState::admitted: return "admitted";
    case DeviceState::quarantined: return "quarantined";
    case DeviceState::revoked: return "revoked";
    case DeviceState::denied: return "denied";
    case DeviceState::removed: return "removed";
  }
  return "";
}

Acting acting_operator(UtcSeconds now) {
  std::array<char, 4'096> buffer{};
  passwd entry{};
  passwd* found = nullptr;
  const bool known =
      ::getpwuid_r(::getuid(), &entry, buffer.data(), buffer.size(), &found) == 0 && found != nullptr;
  return {"operator " + (known ? std::string(entry.pw_name) : std::to_string(::getuid())), now};
}

DeviceRegister::DeviceRegister(std::unique_ptr<State> state) : state_(std::move(state)) {}
DeviceRegister::~DeviceRegister() = default;
DeviceRegister::DeviceRegister(DeviceRegister&&) noexcept = default;
DeviceRegister& DeviceRegister::operator=(DeviceRegister&&) noexcept = default;

Result<DeviceRegister> DeviceRegister::open(const std::filesystem::path& file) {
  auto state = std::make_unique<State>();
  state->file = file;
  HANSA_TRY(const int version, sqlite::guarded(file, "opening the register of devices", [&] {
              state->connection = sqlite::open_to_write(file);
              internal::create_register(*state->connection);
              return sqlite::schema_version(*state->connection);
            }));
  if (version > internal::register_version)
    return fail(ErrorCode::storage, file.string(), "was written by a later version of Hansa",
                "update this program");
  return DeviceRegister(std::move(state));
}

Result<void> DeviceRegister::add_token(const TokenRecord& token, const Acting& acting) {
  return state_->change("adding a join token", [&]() -> Result<void> {
    const auto id = blob_of(token.id);
    Statement(*state_->connection, "INSERT INTO tokens VALUES (?, ?, ?, ?, ?, ?, ?)")
        .run(std::span<const std::byte>(id), token.hash, token.label, token.uses, token.used,
             token.made.value, token.expires.value);
    state_->append(acting, "token.made", short_id(token.id),
                   fmt::format("label \"{}\", uses {}, expires {}", token.label, token.uses,
                               rfc3339_text(token.expires)));
    return {};
  });
}

Result<std::optional<TokenRecord>> DeviceRegister::find_token(const enrolment::TokenId& id) {
  return sqlite::guarded(state_->file, "reading a join token", [&] { return state_->find_token(id); });
}

Result<std::vector<TokenRecord>> DeviceRegister::tokens() {
  return sqlite::guarded(state_->file, "reading the join tokens", [&] {
    std::vector<TokenRecord> out;
    Statement query(*state_->connection,
                    (std::string(internal::token_columns) + "ORDER BY made, id").c_str());
    query.start();
    while (query.next()) out.push_back(read_token(query));
    return out;
  });
}

Result<bool> DeviceRegister::withdraw_token(const enrolment::TokenId& id, const Acting& acting) {
  return state_->change("withdrawing a join token", [&]() -> Result<bool> {
    const auto token = state_->find_token(id);
    if (!token || token->expires <= acting.at || token->used == token->uses) return false;
    const auto blob = blob_of(id);
    Statement(*state_->connection, "UPDATE tokens SET expires = ? WHERE id = ?")
        .run(acting.at.value, std::span<const std::byte>(blob));
    state_->append(acting, "token.withdrawn", short_id(id), "");
    return true;
  });
}

Result<std::vector<Device>> DeviceRegister::devices() {
  return sqlite::guarded(state_->file, "reading the devices", [&] {
    std::vector<Device> out;
    Statement query(*state_->connection, (std::string(internal::device_columns) + "ORDER BY name").c_str());
    query.start();
    while (query.next()) out.push_back(read_device(query));
    return out;
  });
}

Result<std::optional<Device>> DeviceRegister::find(const std::string& device) {
  return sqlite::guarded(state_->file, "reading a device",
                         [&] { return state_->find_where("WHERE name = ?", device); });
}

Result<std::optional<Device>> DeviceRegister::find_key(const transport::PublicKey& key) {
  return sqlite::guarded(state_->file, "reading a device", [&] {
    return state_->find_where("WHERE key = ? ORDER BY since DESC, name DESC LIMIT 1", key.text());
  });
}

Result<Device> DeviceRegister::enrol(const Applicant& applicant, std::span<const std::string> taken,
                                     const Acting& acting) {
  return state_->change("enrolling a device", [&]() -> Result<Device> {
    const auto token = state_->find_token(applicant.token);
    if (!token) return fail(ErrorCode::refused, "the join token", "is not known");
    if (token->expires <= acting.at)
      return fail(ErrorCode::refused, "the join token", "expired on " + rfc3339_text(token->expires),
                  "ask the operator for another one");
    if (token->used >= token->uses)
      return fail(
          ErrorCode::refused, "the join token", "has been used already",
          "ask the operator for another one; if you have not used it, somebody else has: tell the operator");
    if (state_->knows(applicant.key, applicant.identity))
      return fail(ErrorCode::refused, "the device's key", "is known already",
                  "a device that was removed makes a new key: join in another folder");
    Device out;
    out.name = state_->free_name(*token, taken);
    out.label = token->label;
    out.key = applicant.key;
    out.identity = applicant.identity;
    out.since = acting.at;
    out.token = applicant.token;
    const auto id = blob_of(applicant.token);
    Statement(*state_->connection, "UPDATE tokens SET used = used + 1 WHERE id = ?")
        .run(std::span<const std::byte>(id));
    state_->insert(out);
    state_->append(acting, "device.requested", out.name,
                   fmt::format("token {}, key {}, from {}", short_id(applicant.token), applicant.key.text(),
                               applicant.address));
    return out;
  });
}

Result<void> DeviceRegister::approve(const std::string& device, const Device::Certified& certificate,
                                     const Acting& acting) {
  return state_->change("approving a device", [&]() -> Result<void> {
    const auto found = state_->find_where("WHERE name = ?", device);
    if (!found || found->state != DeviceState::pending)
      return fail(ErrorCode::usage, device, "does not wait for approval",
                  "\"hansa devices\" lists the devices");
    const auto signature = blob_of(certificate.signature);
    Statement(*state_->connection,
              "UPDATE devices SET state = 'certified', epoch = ?, issued = ?, expires = ?, signature = ? "
              "WHERE name = ?")
        .run(certificate.validity.epoch, certificate.validity.issued.value,
             certificate.validity.expires.value, std::span<const std::byte>(signature), device);
    state_->append(acting, "device.enrolled", device,
                   fmt::format("certified until {}, epoch {}", rfc3339_text(certificate.validity.expires),
                               certificate.validity.epoch));
    return {};
  });
}

Result<void> DeviceRegister::mark_admitted(const std::string& device) {
  return state_->change("admitting a device", [&]() -> Result<void> {
    Statement(*state_->connection,
              "UPDATE devices SET state = 'admitted' WHERE name = ? AND state = 'certified'")
        .run(device);
    return {};
  });
}

Result<void> DeviceRegister::set_state(const std::string& device, DeviceState state,
                                       const std::string& details, const Acting& acting) {
  return state_->change("changing a device", [&]() -> Result<void> {
    if (!state_->has_name(device))
      return fail(ErrorCode::usage, device, "is not a device of this federation",
                  "\"hansa devices\" lists the devices");
    state_->write_state(device, state);
    // A device in quarantine may come back, and continues then.
    if (state != DeviceState::admitted && state != DeviceState::quarantined) state_->remove_next(device);
    state_->append(acting, fmt::format("device.{}", name(state)), device, details.substr(0, text_bytes_max));
    return {};
  });
}

Result<void> DeviceRegister::set_label(const std::string& device, const std::string& label,
                                       const Acting& acting) {
  if (label.size() > text_bytes_max)
    return fail(ErrorCode::usage, "the label", "is too long", "use at most 1,024 bytes");
  return state_->change("changing a device", [&]() -> Result<void> {
    const auto found = state_->find_where("WHERE name = ?", device);
    if (!found)
      return fail(ErrorCode::usage, device, "is not a device of this federation",
                  "\"hansa devices\" lists the devices");
    Statement(*state_->connection, "UPDATE devices SET label = ? WHERE name = ?").run(label, device);
    state_->append(acting, "device.renamed", device,
                   fmt::format("label \"{}\", before \"{}\"", label, found->label));
    return {};
  });
}

Result<bool> DeviceRegister::match_folder(std::span<const Listed> listed, const Acting& acting) {
  return state_->change("comparing the folder of admitted clients", [&]() -> Result<bool> {
    bool changed = false;
    for (const Listed& file : listed) {
      const auto known = state_->find_where("WHERE name = ?", file.name);
      if (known && known->state == DeviceState::admitted && known->key == file.key) continue;
      changed = true;
      if (known) {
        // The operator put another key there, or the file of a device that had been removed.
        if (known->key == file.key) {
          state_->write_state(file.name, DeviceState::admitted);
          if (known->state != DeviceState::certified)
            state_->append(acting, "device.admitted", file.name,
                           "by a file in the folder of admitted clients");
          continue;
        }
        if (const auto next = state_->find_next(file.name);
            next && next->key == file.key && next->certificate) {
          state_->complete_rotation(*known, *next, acting);
          continue;
        }
        state_->remove_next(file.name);
        const auto identity = blob_of(file.identity.value_or(IdentityKey{}));
        Statement(
            *state_->connection,
            "UPDATE devices SET state = 'admitted', key = ?, identity = ?, epoch = NULL, issued = NULL, "
            "expires = NULL, signature = NULL WHERE name = ?")
            .run(file.key.text(), std::span<const std::byte>(identity), file.name);
      } else {
        Device device;
        device.name = file.name;
        device.state = DeviceState::admitted;
        device.key = file.key;
        device.identity = file.identity.value_or(IdentityKey{});
        device.since = acting.at;
        state_->insert(device);
      }
      state_->append(acting, "device.admitted", file.name,
                     "by a file in the folder of admitted clients, key " + file.key.text());
    }
    std::vector<std::string> gone;
    Statement query(*state_->connection, "SELECT name FROM devices WHERE state = 'admitted' ORDER BY name");
    query.start();
    while (query.next()) {
      const auto device = query.column<std::string>(0);
      if (std::ranges::none_of(listed, [&](const Listed& file) { return file.name == device; }))
        gone.push_back(device);
    }
    for (const std::string& device : gone) {
      state_->write_state(device, DeviceState::removed);
      state_->remove_next(device);
      state_->append(acting, "device.removed", device,
                     "its file is not in the folder of admitted clients any more");
    }
    return changed || !gone.empty();
  });
}

Result<void> DeviceRegister::add_activity(const std::map<std::string, DeviceActivity>& seen) {
  return state_->change("recording activity", [&]() -> Result<void> {
    Statement statement(
        *state_->connection,
        "UPDATE devices SET software = CASE WHEN ?1 = '' THEN software ELSE ?1 END, "
        "last_seen = coalesce(?2, last_seen), examples = CASE WHEN ?2 IS NULL THEN examples ELSE ?3 END, "
        "counted = counted + ?4, lost = lost + ?5, lost_why = CASE WHEN ?6 = '' THEN lost_why ELSE ?6 END "
        "WHERE name = ?7");
    for (const auto& [device, activity] : seen) {
      std::optional<std::uint64_t> last_seen;
      if (activity.last_seen) last_seen = activity.last_seen->value;
      statement.run(activity.software.substr(0, text_bytes_max), last_seen, activity.examples,
                    activity.counted, activity.lost, activity.lost_why.substr(0, text_bytes_max), device);
    }
    return {};
  });
}

Result<void> DeviceRegister::record(const std::string& act, const std::string& subject,
                                    const std::string& details, const Acting& acting) {
  return state_->change("writing the audit log", [&]() -> Result<void> {
    state_->append(acting, act, subject, details.substr(0, text_bytes_max));
    return {};
  });
}

Result<std::vector<AuditEntry>> DeviceRegister::audit() {
  return sqlite::guarded(state_->file, "reading the audit log", [&] {
    std::vector<AuditEntry> out;
    Statement query(*state_->connection, (std::string(audit_columns) + "ORDER BY number").c_str());
    query.start();
    while (query.next()) out.push_back(read_audit_entry(query));
    return out;
  });
}

Result<std::optional<AuditEntry>> DeviceRegister::last_audit_entry() {
  return sqlite::guarded(state_->file, "reading the audit log", [&]() -> std::optional<AuditEntry> {
    Statement query(*state_->connection,
                    (std::string(audit_columns) + "ORDER BY number DESC LIMIT 1").c_str());
    query.start();
    if (!query.next()) return std::nullopt;
    return read_audit_entry(query);
  });
}

Result<std::optional<AuditEntry>> DeviceRegister::audit_entry(std::uint64_t number) {
  return sqlite::guarded(state_->file, "reading the audit log", [&]() -> std::optional<AuditEntry> {
    Statement query(*state_->connection, (std::string(audit_columns) + "WHERE number = ?").c_str());
    query.start(number);
    if (!query.next()) return std::nullopt;
    return read_audit_entry(query);
  });
}

}  // namespace hansa::server
