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
#include "server/register/internal/schema.h"

namespace hansa::server {
namespace {

using secure_aggregation::IdentityKey;
using secure_aggregation::Signature;
using sqlite::Statement;

constexpr std::array all_states{DeviceState::pending,     DeviceState::certified, DeviceState::admitted,
                                DeviceState::quarantined, DeviceState::revoked,   DeviceState::denied,
                                DeviceState::removed};
constexpr std::size_t text_bytes_max = 1'024;  // of a label or of details

template <std::size_t N>
std::vector<std::byte> blob_of(const std::array<std::uint8_t, N>& bytes) {
  const auto view = std::as_bytes(std::span(bytes));
  return {view.begin(), view.end()};
}
template <std::size_t N>
void copy_blob(const std::vector<std::byte>& blob, std::array<std::uint8_t, N>& out) {
  if (blob.size() != N) throw SQLite::Exception("a value has another length", SQLITE_CORRUPT);
  std::ranges::transform(blob, out.begin(), [](std::byte b) { return std::to_integer<std::uint8_t>(b); });
}

DeviceState state_of(const std::string& text) {
  for (const DeviceState state : all_states)
    if (name(state) == text) return state;
  throw SQLite::Exception("a device has an unknown state", SQLITE_CORRUPT);
}

constexpr const char* device_columns =
    "SELECT name, label, state, key, identity, since, token, epoch, issued, expires, signature, software, "
    "last_seen, examples, counted, lost, lost_why FROM devices ";

Device read_device(Statement& row) {
  Device out;
  std::string state, key;
  std::vector<std::byte> identity;
  std::optional<std::vector<std::byte>> token, signature;
  std::optional<std::uint32_t> epoch;
  std::optional<std::uint64_t> issued, expires, last_seen;
  row.read(out.name, out.label, state, key, identity, out.since.value, token, epoch, issued, expires,
           signature, out.activity.software, last_seen, out.activity.examples, out.activity.counted,
           out.activity.lost, out.activity.lost_why);
  out.state = state_of(state);
  if (key.size() != out.key.z85.size()) throw SQLite::Exception("a key has another length", SQLITE_CORRUPT);
  std::ranges::copy(key, out.key.z85.begin());
  copy_blob(identity, out.identity);
  if (token) copy_blob(*token, out.token.emplace());
  if (epoch && issued && expires && signature) {
    out.certificate.emplace();
    out.certificate->validity = {*epoch, {*issued}, {*expires}};
    copy_blob(*signature, out.certificate->signature);
  }
  if (last_seen) out.activity.last_seen = UtcSeconds{*last_seen};
  return out;
}

TokenRecord read_token(Statement& row) {
  TokenRecord out;
  std::vector<std::byte> id;
  row.read(id, out.hash, out.label, out.uses, out.used, out.made.value, out.expires.value);
  copy_blob(id, out.id);
  return out;
}
constexpr const char* token_columns = "SELECT id, hash, label, uses, used, made, expires FROM tokens ";

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

struct DeviceRegister::State {
  std::filesystem::path file;
  sqlite::Connection connection;

  // Runs `work` in a transaction that no other process can interleave with. `work` returns a Result; a failure undoes it.
  template <class Work>
  auto change(const char* doing, Work work) -> decltype(work()) {
    auto done = sqlite::guarded(file, doing, [&] {
      SQLite::Transaction transaction(*connection, SQLite::TransactionBehavior::IMMEDIATE);
      auto result = work();
      if (result) transaction.commit();
      return result;
    });
    if (!done) return tl::unexpected<Error>(std::move(done).error());
    return std::move(*done);
  }

  void append(const Acting& acting, const std::string& act, const std::string& subject,
              const std::string& details) {
    AuditEntry entry{1, acting.at, acting.actor, act, subject, details, {}};
    Digest before;
    Statement last(*connection, "SELECT number, hash FROM audit ORDER BY number DESC LIMIT 1");
    last.start();
    if (last.next()) {
      last.read(entry.number, before);
      ++entry.number;
    }
    entry.hash = hash_of(entry, before);
    Statement(*connection, "INSERT INTO audit VALUES (?, ?, ?, ?, ?, ?, ?)")
        .run(entry.number, entry.at.value, entry.actor, entry.act, entry.subject, entry.details, entry.hash);
  }

  std::optional<Device> find_where(const char* condition, const std::string& value) {
    Statement query(*connection, (std::string(device_columns) + condition).c_str());
    query.start(value);
    if (!query.next()) return std::nullopt;
    return read_device(query);
  }
  std::optional<TokenRecord> find_token(const enrolment::TokenId& id) {
    Statement query(*connection, (std::string(token_columns) + "WHERE id = ?").c_str());
    query.start(std::span<const std::byte>(blob_of(id)));
    if (!query.next()) return std::nullopt;
    return read_token(query);
  }
  bool has_name(const std::string& device) { return find_where("WHERE name = ?", device).has_value(); }
  bool has_identity(const IdentityKey& identity) {
    Statement query(*connection, "SELECT 1 FROM devices WHERE identity = ?");
    query.start(std::span<const std::byte>(blob_of(identity)));
    return query.next();
  }

  // The label itself if one device may use the token; otherwise a number is added.
  std::string free_name(const TokenRecord& token, std::span<const std::string> taken) {
    const auto is_free = [&](const std::string& candidate) {
      return std::ranges::find(taken, candidate) == taken.end() && !has_name(candidate);
    };
    if (token.uses == 1 && !token.label.empty() && is_free(token.label)) return token.label;
    const std::string base = token.label.empty() ? "device" : token.label;
    for (std::uint64_t number = 1;; ++number)
      if (std::string candidate = fmt::format("{}-{}", base, number); is_free(candidate)) return candidate;
  }

  void insert(const Device& device) {
    std::optional<std::vector<std::byte>> token;
    if (device.token) token = blob_of(*device.token);
    Statement statement(
        *connection,
        "INSERT INTO devices (name, label, state, key, identity, since, token) VALUES (?, ?, ?, ?, ?, ?, ?)");
    std::optional<std::span<const std::byte>> token_bytes;
    if (token) token_bytes = *token;
    const auto identity = blob_of(device.identity);
    statement.run(device.name, device.label, std::string(name(device.state)), device.key.text(),
                  std::span<const std::byte>(identity), device.since.value, token_bytes);
  }
  void write_state(const std::string& device, DeviceState state) {
    Statement(*connection, "UPDATE devices SET state = ? WHERE name = ?")
        .run(std::string(name(state)), device);
  }
};

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
    Statement query(*state_->connection, (std::string(token_columns) + "ORDER BY made, id").c_str());
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
    Statement query(*state_->connection, (std::string(device_columns) + "ORDER BY name").c_str());
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
    if (state_->find_where("WHERE key = ?", applicant.key.text()) || state_->has_identity(applicant.identity))
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
