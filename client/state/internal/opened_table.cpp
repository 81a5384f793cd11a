#include "client/state/internal/opened_table.h"

#include <cstring>

#include "client/state/internal/sealed.h"

namespace hansa::client {

using secure_aggregation::ClientTag;
using secure_aggregation::OpenedSum;

std::vector<OpenedSum> read_opened(SQLite::Database& database) {
  sqlite::Statement query(database, "SELECT model, grid, sum FROM opened ORDER BY id");
  std::vector<OpenedSum> out;
  while (query.next()) {
    OpenedSum& sum = out.emplace_back();
    Unsealed value;
    query.read(sum.model, sum.grid, value);
    const std::size_t check = sum.update.bytes.size(), fixed = check + sizeof sum.certificate_epoch;
    if (value.bytes.size() < fixed || (value.bytes.size() - fixed) % sizeof(ClientTag) != 0)
      throw Damaged{"an opened sum is cut"};
    std::memcpy(sum.update.bytes.data(), value.bytes.data(), check);
    std::memcpy(&sum.certificate_epoch, value.bytes.data() + check, sizeof sum.certificate_epoch);
    sum.survivors.resize((value.bytes.size() - fixed) / sizeof(ClientTag));
    if (!sum.survivors.empty())
      std::memcpy(sum.survivors.data(), value.bytes.data() + fixed, value.bytes.size() - fixed);
  }
  return out;
}

void insert_opened(SQLite::Database& database, const OpenedSum& sum) {
  const std::size_t check = sum.update.bytes.size(), fixed = check + sizeof sum.certificate_epoch;
  std::vector<std::byte> bytes(fixed + sum.survivors.size() * sizeof(ClientTag));
  std::memcpy(bytes.data(), sum.update.bytes.data(), check);
  std::memcpy(bytes.data() + check, &sum.certificate_epoch, sizeof sum.certificate_epoch);
  if (!sum.survivors.empty())
    std::memcpy(bytes.data() + fixed, sum.survivors.data(), sum.survivors.size() * sizeof(ClientTag));
  sqlite::Statement(database, "INSERT INTO opened (model, grid, sum) VALUES (?, ?, ?)")
      .run(sum.model, sum.grid, Sealed(std::span<const std::byte>(bytes)));
  sqlite::Statement(database, "DELETE FROM opened WHERE id <= (SELECT max(id) FROM opened) - ?")
      .run(static_cast<std::int64_t>(secure_aggregation::opened_sums_max));
}

}  // namespace hansa::client
