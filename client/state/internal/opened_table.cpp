#include "client/state/internal/opened_table.h"

#include <cstring>

#include "client/state/internal/sealed.h"

namespace hansa::client {

using secure_aggregation::ClientTag;
using secure_aggregation::OpenedSum;

std::vector<OpenedSum> read_opened(SQLite::Database& database) {
  sqlite::Statement query(database, "SELECT model, sum FROM opened ORDER BY id");
  std::vector<OpenedSum> out;
  while (query.next()) {
    OpenedSum& sum = out.emplace_back();
    Unsealed value;
    query.read(sum.model, value);
    const std::size_t check = sum.update.bytes.size();
    if (value.bytes.size() < check || (value.bytes.size() - check) % sizeof(ClientTag) != 0)
      throw Damaged{"an opened sum is cut"};
    std::memcpy(sum.update.bytes.data(), value.bytes.data(), check);
    sum.survivors.resize((value.bytes.size() - check) / sizeof(ClientTag));
    if (!sum.survivors.empty())
      std::memcpy(sum.survivors.data(), value.bytes.data() + check, value.bytes.size() - check);
  }
  return out;
}

void insert_opened(SQLite::Database& database, const OpenedSum& sum) {
  std::vector<std::byte> bytes(sum.update.bytes.size() + sum.survivors.size() * sizeof(ClientTag));
  std::memcpy(bytes.data(), sum.update.bytes.data(), sum.update.bytes.size());
  if (!sum.survivors.empty())
    std::memcpy(bytes.data() + sum.update.bytes.size(), sum.survivors.data(),
                sum.survivors.size() * sizeof(ClientTag));
  sqlite::Statement(database, "INSERT INTO opened (model, sum) VALUES (?, ?)")
      .run(sum.model, Sealed(std::span<const std::byte>(bytes)));
  sqlite::Statement(database, "DELETE FROM opened WHERE id <= (SELECT max(id) FROM opened) - ?")
      .run(static_cast<std::int64_t>(secure_aggregation::opened_sums_max));
}

}  // namespace hansa::client
