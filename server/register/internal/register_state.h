// The register's open file, and how its rows are read: for the files that implement DeviceRegister.
#pragma once
#include <algorithm>
#include <array>
#include <cstddef>
#include <filesystem>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include <fmt/format.h>
#include <sqlite3.h>

#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"
#include "common/sqlite/statement.h"
#include "server/register/device_register.h"
#include "server/register/internal/audit_writer.h"

namespace hansa::server {
namespace internal {

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

extern const char* const device_columns;
[[nodiscard]] Device read_device(sqlite::Statement& row);
extern const char* const token_columns;
[[nodiscard]] TokenRecord read_token(sqlite::Statement& row);
extern const char* const next_key_columns;
[[nodiscard]] NextKey read_next_key(sqlite::Statement& row);

}  // namespace internal

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
    internal::append_audit(*connection, acting, {act, subject, details});
  }

  std::optional<Device> find_where(const char* condition, const std::string& value) {
    sqlite::Statement query(*connection, (std::string(internal::device_columns) + condition).c_str());
    query.start(value);
    if (!query.next()) return std::nullopt;
    return internal::read_device(query);
  }
  std::optional<TokenRecord> find_token(const enrolment::TokenId& id) {
    sqlite::Statement query(*connection, (std::string(internal::token_columns) + "WHERE id = ?").c_str());
    query.start(std::span<const std::byte>(internal::blob_of(id)));
    if (!query.next()) return std::nullopt;
    return internal::read_token(query);
  }
  bool has_name(const std::string& device) { return find_where("WHERE name = ?", device).has_value(); }
  // Whether a device has this key or identity, or changes to it.
  bool knows(const transport::PublicKey& key, const secure_aggregation::IdentityKey& identity) {
    sqlite::Statement query(*connection,
                            "SELECT 1 FROM devices WHERE key = ?1 OR identity = ?2 UNION ALL "
                            "SELECT 1 FROM next_keys WHERE key = ?1 OR identity = ?2");
    const auto blob = internal::blob_of(identity);
    query.start(key.text(), std::span<const std::byte>(blob));
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
    if (device.token) token = internal::blob_of(*device.token);
    sqlite::Statement statement(
        *connection,
        "INSERT INTO devices (name, label, state, key, identity, since, token) VALUES (?, ?, ?, ?, ?, ?, ?)");
    std::optional<std::span<const std::byte>> token_bytes;
    if (token) token_bytes = *token;
    const auto identity = internal::blob_of(device.identity);
    statement.run(device.name, device.label, std::string(name(device.state)), device.key.text(),
                  std::span<const std::byte>(identity), device.since.value, token_bytes);
  }
  std::optional<NextKey> find_next(const std::string& device) {
    sqlite::Statement query(*connection,
                            (std::string(internal::next_key_columns) + "WHERE device = ?").c_str());
    query.start(device);
    if (!query.next()) return std::nullopt;
    return internal::read_next_key(query);
  }
  // The next key is the device's key by now.
  void complete_rotation(const Device& device, const NextKey& next, const Acting& acting);
  void remove_next(const std::string& device) {
    sqlite::Statement(*connection, "DELETE FROM next_keys WHERE device = ?").run(device);
  }
  void write_state(const std::string& device, DeviceState state) {
    sqlite::Statement(*connection, "UPDATE devices SET state = ? WHERE name = ?")
        .run(std::string(name(state)), device);
  }
};

}  // namespace hansa::server
