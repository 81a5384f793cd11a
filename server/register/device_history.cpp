#include "server/register/device_history.h"

#include <algorithm>

#include <fmt/format.h>
#include <sqlite3.h>

#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"
#include "common/sqlite/statement.h"
#include "server/register/internal/audit_writer.h"
#include "server/register/internal/schema.h"

namespace hansa::server {
namespace {

using sqlite::Statement;

constexpr std::size_t reason_bytes_max = 1'024;

}  // namespace

struct DeviceHistory::State {
  std::filesystem::path file;
  sqlite::Connection connection;

  // Runs `work` in a transaction that no other process can interleave with.
  template <class Work>
  auto change(const char* doing, Work work) -> Result<decltype(work())> {
    return sqlite::guarded(file, doing, [&] {
      SQLite::Transaction transaction(*connection, SQLite::TransactionBehavior::IMMEDIATE);
      if constexpr (std::is_void_v<decltype(work())>) {
        work();
        transaction.commit();
      } else {
        auto out = work();
        transaction.commit();
        return out;
      }
    });
  }

  std::vector<std::string> released() {
    std::vector<std::string> out;
    Statement query(*connection, "SELECT name FROM standings WHERE released = 1 ORDER BY name");
    query.start();
    while (query.next()) out.push_back(query.column<std::string>(0));
    return out;
  }
};

DeviceHistory::DeviceHistory(std::unique_ptr<State> state) : state_(std::move(state)) {}
DeviceHistory::~DeviceHistory() = default;
DeviceHistory::DeviceHistory(DeviceHistory&&) noexcept = default;
DeviceHistory& DeviceHistory::operator=(DeviceHistory&&) noexcept = default;

Result<DeviceHistory> DeviceHistory::open(const std::filesystem::path& file) {
  // The register checks the file's version.
  HANSA_TRY_VOID(DeviceRegister::open(file));
  auto state = std::make_unique<State>();
  state->file = file;
  HANSA_TRY_VOID(sqlite::guarded(file, "opening the history of devices",
                                 [&] { state->connection = sqlite::open_to_write(file); }));
  return DeviceHistory(std::move(state));
}

Result<void> DeviceHistory::add(const std::map<std::string, Seen>& seen) {
  return state_->change("recording the history of devices", [&] {
    SQLite::Database& database = *state_->connection;
    Statement measure(database,
                      "INSERT INTO measures VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (name) DO UPDATE SET "
                      "examples_per_s = coalesce(?2, examples_per_s), "
                      "upload_bytes_per_s = coalesce(?3, upload_bytes_per_s), "
                      "bytes_up = bytes_up + ?4, bytes_down = bytes_down + ?5");
    Statement lose(database, "INSERT INTO losses (name, run, round, at, reason) VALUES (?, ?, ?, ?, ?)");
    Statement forget(database,
                     "DELETE FROM losses WHERE name = ?1 AND id NOT IN "
                     "(SELECT id FROM losses WHERE name = ?1 ORDER BY id DESC LIMIT ?2)");
    for (const auto& [device, news] : seen) {
      const DeviceMeasures& m = news.measures;
      measure.run(device, m.examples_per_s, m.upload_bytes_per_s, m.bytes_up, m.bytes_down);
      for (const LostRound& loss : news.losses)
        lose.run(device, loss.run, loss.round, loss.at.value, loss.reason.substr(0, reason_bytes_max));
      if (!news.losses.empty()) forget.run(device, losses_kept);
    }
  });
}

Result<std::map<std::string, DeviceMeasures>> DeviceHistory::measures() {
  return sqlite::guarded(state_->file, "reading the history of devices", [&] {
    std::map<std::string, DeviceMeasures> out;
    Statement query(*state_->connection,
                    "SELECT name, examples_per_s, upload_bytes_per_s, bytes_up, bytes_down FROM measures");
    query.start();
    while (query.next()) {
      std::string device;
      DeviceMeasures m;
      query.read(device, m.examples_per_s, m.upload_bytes_per_s, m.bytes_up, m.bytes_down);
      out.emplace(std::move(device), m);
    }
    return out;
  });
}

Result<std::vector<LostRound>> DeviceHistory::losses(const std::string& device) {
  return sqlite::guarded(state_->file, "reading the lost rounds of a device", [&] {
    std::vector<LostRound> out;
    Statement query(*state_->connection,
                    "SELECT run, round, at, reason FROM losses WHERE name = ? ORDER BY id DESC");
    query.start(device);
    while (query.next()) {
      LostRound& loss = out.emplace_back();
      query.read(loss.run, loss.round, loss.at.value, loss.reason);
    }
    return out;
  });
}

Result<std::map<std::string, DeviceStanding>> DeviceHistory::standings() {
  return sqlite::guarded(state_->file, "reading the faults of devices", [&] {
    std::map<std::string, DeviceStanding> out;
    Statement query(
        *state_->connection,
        "SELECT name, faults, counted_in_a_row, left_out_until FROM standings WHERE released = 0");
    query.start();
    while (query.next()) {
      std::string device;
      DeviceStanding standing;
      query.read(device, standing.faults, standing.counted_in_a_row, standing.left_out_until.value);
      out.emplace(std::move(device), standing);
    }
    return out;
  });
}

Result<std::vector<std::string>> DeviceHistory::released() {
  return sqlite::guarded(state_->file, "reading which devices were released",
                         [&] { return state_->released(); });
}

Result<std::vector<std::string>> DeviceHistory::replace_standings(
    const std::map<std::string, DeviceStanding>& current) {
  return state_->change("recording the faults of devices", [&] {
    SQLite::Database& database = *state_->connection;
    std::vector<std::string> released = state_->released();
    Statement(database, "DELETE FROM standings").run();
    Statement insert(database, "INSERT INTO standings VALUES (?, ?, ?, ?, 0)");
    for (const auto& [device, standing] : current)
      if (!std::ranges::binary_search(released, device))
        insert.run(device, standing.faults, standing.counted_in_a_row, standing.left_out_until.value);
    return released;
  });
}

Result<bool> DeviceHistory::release(const std::string& device, const Acting& acting) {
  return state_->change("releasing a device", [&] {
    SQLite::Database& database = *state_->connection;
    Statement query(database, "SELECT faults FROM standings WHERE name = ? AND released = 0");
    query.start(device);
    if (!query.next()) return false;
    const auto faults = query.column<std::uint32_t>(0);
    Statement(database, "UPDATE standings SET released = 1 WHERE name = ?").run(device);
    internal::append_audit(database, acting,
                           {"device.released", device, fmt::format("{} faults are forgotten", faults)});
    return true;
  });
}

}  // namespace hansa::server
