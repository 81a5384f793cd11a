#include "server/store/internal/database.h"

#include <cmath>
#include <cstring>
#include <limits>
#include <string>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

namespace hansa::server::internal {
namespace {

constexpr int busy_timeout_ms = 5000;

constexpr const char* schema = R"sql(
CREATE TABLE run (
  id            INTEGER PRIMARY KEY CHECK (id = 1),
  federation    TEXT NOT NULL,
  run           TEXT NOT NULL,
  seed          INTEGER NOT NULL,          -- uint64, as int64 of the same bits
  archive       BLOB NOT NULL,             -- digests: SHA-256, 32 bytes
  layout        BLOB NOT NULL,
  initial_model BLOB NOT NULL,
  started_from  TEXT NOT NULL
);
CREATE TABLE rounds (
  round      INTEGER PRIMARY KEY CHECK (round >= 1),
  model      BLOB NOT NULL,
  base       BLOB NOT NULL,
  started_at TEXT NOT NULL,                -- RFC 3339, UTC
  seconds    REAL,
  attempt    INTEGER NOT NULL
);
CREATE TABLE participations (
  round         INTEGER NOT NULL REFERENCES rounds(round),
  client        TEXT NOT NULL,
  outcome       TEXT NOT NULL,
  reason        TEXT NOT NULL,
  examples      INTEGER NOT NULL,
  update_digest BLOB NOT NULL,             -- its checksum; empty when nothing was counted, SHA-256 in schema 1 and 2
  bytes_up      INTEGER NOT NULL,
  bytes_down    INTEGER NOT NULL,
  seconds       REAL,                      -- NULL is "not a number"
  train_seconds REAL,
  PRIMARY KEY (round, client)
) WITHOUT ROWID;
CREATE TABLE participation_metrics (
  round    INTEGER NOT NULL,
  client   TEXT NOT NULL,
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  sum      REAL,
  count    REAL,
  PRIMARY KEY (round, client, position),
  FOREIGN KEY (round, client) REFERENCES participations(round, client)
) WITHOUT ROWID;
CREATE TABLE evaluations (                 -- round 0: the initial model
  round INTEGER PRIMARY KEY CHECK (round >= 0)
);
CREATE TABLE evaluation_metrics (
  round    INTEGER NOT NULL REFERENCES evaluations(round) ON DELETE CASCADE,
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  sum      REAL,
  count    REAL,
  PRIMARY KEY (round, position)
) WITHOUT ROWID;
)sql";

// Added by schema 2.
constexpr const char* schema_of_secure_sums = R"sql(
CREATE TABLE secure_sums (                 -- of rounds whose updates were summed securely
  round          INTEGER PRIMARY KEY REFERENCES rounds(round),
  neighbours     INTEGER NOT NULL,
  threshold      INTEGER NOT NULL,
  with_keys      INTEGER NOT NULL,
  recovered      INTEGER NOT NULL,
  value_bits     INTEGER NOT NULL,
  ring_bits      INTEGER NOT NULL,
  clip           REAL NOT NULL,
  next_clip      REAL NOT NULL,
  setup_seconds  REAL NOT NULL,
  unmask_seconds REAL NOT NULL,
  examples       INTEGER NOT NULL,
  scales         BLOB NOT NULL,            -- binary64, little-endian
  next_scales    BLOB NOT NULL
);
CREATE TABLE secure_sum_metrics (
  round    INTEGER NOT NULL REFERENCES secure_sums(round),
  position INTEGER NOT NULL,
  name     TEXT NOT NULL,
  sum      REAL,
  count    REAL,
  PRIMARY KEY (round, position)
) WITHOUT ROWID;
)sql";

// Added by schema 3. Schema 4 adds nothing here: models are named by vector_digest. Until schema 5 `step` held the bytes themselves: such
// rows are forgotten, and what they led to goes whole once more.
constexpr const char* schema_of_published_models = R"sql(
CREATE TABLE published (                   -- of rounds after which clients get another model than the round's
  round INTEGER PRIMARY KEY REFERENCES rounds(round),
  model BLOB NOT NULL,
  sum   BLOB NOT NULL,                     -- checksum of its vector
  step  BLOB NOT NULL                      -- SHA-256 of the encoded difference to what was published before
);
)sql";

void bind(SQLite::Statement& to, int index, const Digest& digest) {
  to.bind(index, digest.bytes.data(), static_cast<int>(digest.bytes.size()));
}
void bind(SQLite::Statement& to, int index, const Checksum& sum) {
  to.bind(index, sum.bytes.data(), static_cast<int>(sum.bytes.size()));
}
void bind_count(SQLite::Statement& to, int index, std::uint64_t value) {
  to.bind(index, static_cast<std::int64_t>(value));
}
void bind_metric(SQLite::Statement& to, int first, std::size_t position, const Metric& metric) {
  to.bind(first, static_cast<std::int64_t>(position));
  to.bind(first + 1, metric.name);
  to.bind(first + 2, metric.sum);  // SQLite keeps a NaN as NULL
  to.bind(first + 3, metric.count);
}

// A digest of another length than 32 is zero: it then matches no model, and is told as such.
Digest digest_at(SQLite::Statement& from, int column) {
  const SQLite::Column value = from.getColumn(column);
  Digest digest;
  if (value.getBytes() == static_cast<int>(digest.bytes.size()))
    std::memcpy(digest.bytes.data(), value.getBlob(), digest.bytes.size());
  return digest;
}
Checksum checksum_at(SQLite::Statement& from, int column) {
  const SQLite::Column value = from.getColumn(column);
  Checksum sum;
  if (value.getBytes() == static_cast<int>(sum.bytes.size()))
    std::memcpy(sum.bytes.data(), value.getBlob(), sum.bytes.size());
  return sum;
}
std::uint64_t count_at(SQLite::Statement& from, int column) {
  return static_cast<std::uint64_t>(from.getColumn(column).getInt64());
}
std::uint32_t round_at(SQLite::Statement& from, int column) {
  return static_cast<std::uint32_t>(from.getColumn(column).getInt64());
}
double real_at(SQLite::Statement& from, int column) {
  const SQLite::Column value = from.getColumn(column);
  return value.isNull() ? std::numeric_limits<double>::quiet_NaN() : value.getDouble();
}
std::vector<double> reals_at(SQLite::Statement& from, int column) {
  const SQLite::Column value = from.getColumn(column);
  std::vector<double> out(static_cast<std::size_t>(value.getBytes()) / sizeof(double));
  if (!out.empty()) std::memcpy(out.data(), value.getBlob(), out.size() * sizeof(double));
  return out;
}
Outcome outcome_of(const std::string& text) {
  for (const Outcome outcome : {Outcome::counted, Outcome::no_answer, Outcome::disconnected,
                                Outcome::declined, Outcome::rejected, Outcome::late})
    if (text == name(outcome)) return outcome;
  return Outcome::no_answer;
}

// What a URI path may not hold as it is.
std::string uri_of(const std::filesystem::path& file) {
  static constexpr char digits[] = "0123456789ABCDEF";
  std::string uri = "file:";
  for (const char c : file.string()) {
    if (c == '%' || c == '?' || c == '#') {
      const auto byte = static_cast<unsigned char>(c);
      uri += {'%', digits[byte >> 4], digits[byte & 15]};
    } else {
      uri += c;
    }
  }
  return uri;
}

Error error_of(const std::filesystem::path& file, const char* doing, const SQLite::Exception& caught) {
  Error error{ErrorCode::storage, file.string(), std::string(doing) + " failed (" + caught.what() + ")", ""};
  switch (caught.getErrorCode()) {
    case SQLITE_FULL: error.hint = "free some space; nothing that was committed is lost"; break;
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB: error.hint = "restore the run folder from a copy"; break;
    default: break;
  }
  return error;
}

std::unique_ptr<SQLite::Database> connect(const std::filesystem::path& file, Access access) {
  if (access == Access::read_write)
    return std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE,
                                              busy_timeout_ms);
  try {
    auto connection =
        std::make_unique<SQLite::Database>(file.string(), SQLite::OPEN_READONLY, busy_timeout_ms);
    connection->execAndGet("SELECT count(*) FROM sqlite_master");
    return connection;
  } catch (const SQLite::Exception& caught) {
    // A WAL database in a folder that this user cannot write: without a WAL nobody writes now.
    std::error_code ignored;
    const bool idle = !std::filesystem::exists(file.string() + "-wal", ignored);
    if (caught.getErrorCode() != SQLITE_CANTOPEN || !idle) throw;
    return std::make_unique<SQLite::Database>(uri_of(file) + "?immutable=1",
                                              SQLite::OPEN_READONLY | SQLite::OPEN_URI, busy_timeout_ms);
  }
}

}  // namespace

template <class Work>
auto Database::guarded(const char* doing, Work work) -> Result<decltype(work())> {
  try {
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const SQLite::Exception& caught) {
    return tl::unexpected<Error>(error_of(file_, doing, caught));
  }
}

Database::Database(std::filesystem::path file, std::unique_ptr<SQLite::Database> connection)
    : file_(std::move(file)), connection_(std::move(connection)) {}
Database::~Database() = default;
Database::Database(Database&&) noexcept = default;

Result<Database> Database::open(const std::filesystem::path& file, Access access) {
  try {
    Database database(file, connect(file, access));
    SQLite::Database& connection = *database.connection_;
    connection.exec("PRAGMA foreign_keys = ON");
    if (access == Access::read_write) {
      connection.exec("PRAGMA journal_mode = WAL");
      connection.exec("PRAGMA synchronous = FULL");
    }
    const int version = connection.execAndGet("PRAGMA user_version").getInt();
    if (version > schema_version)
      return fail(ErrorCode::storage, file.string(),
                  "was written by a newer Hansa (schema " + std::to_string(version) + ", this one knows " +
                      std::to_string(schema_version) + ")",
                  "use that version for this run");
    if (version == 0) {
      if (access == Access::read_only) return fail(ErrorCode::storage, file.string(), "holds no run yet");
      SQLite::Transaction transaction(connection);
      connection.exec(schema);
      connection.exec(schema_of_secure_sums);
      connection.exec(schema_of_published_models);
      connection.exec("PRAGMA user_version = " + std::to_string(schema_version));
      transaction.commit();
    } else if (version < schema_version && access == Access::read_write) {
      SQLite::Transaction transaction(connection);
      if (version < 2) connection.exec(schema_of_secure_sums);
      if (version < 3) connection.exec(schema_of_published_models);
      if (version < 5) connection.exec("DELETE FROM published");
      connection.exec("PRAGMA user_version = " + std::to_string(schema_version));
      transaction.commit();
    } else {
      database.version_ = version;
    }
    return database;
  } catch (const SQLite::Exception& caught) {
    return tl::unexpected<Error>(error_of(file, "opening", caught));
  }
}

Result<std::optional<RunIdentity>> Database::identity() {
  return guarded("reading the run", [&]() -> std::optional<RunIdentity> {
    SQLite::Statement query(
        *connection_, "SELECT federation, run, seed, archive, layout, initial_model, started_from FROM run");
    if (!query.executeStep()) return std::nullopt;
    RunIdentity identity;
    identity.federation = query.getColumn(0).getString();
    identity.run = query.getColumn(1).getString();
    identity.seed = count_at(query, 2);
    identity.archive = digest_at(query, 3);
    identity.layout = digest_at(query, 4);
    identity.initial_model = digest_at(query, 5);
    identity.started_from = query.getColumn(6).getString();
    return identity;
  });
}

Result<void> Database::keep_identity(const RunIdentity& identity) {
  return guarded("keeping the run", [&] {
    SQLite::Statement insert(*connection_, "INSERT INTO run VALUES (1, ?, ?, ?, ?, ?, ?, ?)");
    insert.bind(1, identity.federation);
    insert.bind(2, identity.run);
    bind_count(insert, 3, identity.seed);
    bind(insert, 4, identity.archive);
    bind(insert, 5, identity.layout);
    bind(insert, 6, identity.initial_model);
    insert.bind(7, identity.started_from);
    insert.exec();
  });
}

Result<RoundId> Database::last_round() {
  return guarded("reading the last round", [&] {
    SQLite::Statement query(*connection_, "SELECT coalesce(max(round), 0) FROM rounds");
    query.executeStep();
    return RoundId{round_at(query, 0)};
  });
}

Result<std::optional<Digest>> Database::round_model(RoundId round) {
  return guarded("reading a round", [&]() -> std::optional<Digest> {
    SQLite::Statement query(*connection_, "SELECT model FROM rounds WHERE round = ?");
    query.bind(1, static_cast<std::int64_t>(round.value));
    if (!query.executeStep()) return std::nullopt;
    return digest_at(query, 0);
  });
}

Result<std::vector<RoundRecord>> Database::rounds(RoundId first, RoundId last) {
  return guarded("reading rounds", [&] {
    // One transaction, so that the three queries see the same rounds while a writer adds more.
    SQLite::Transaction snapshot(*connection_);
    std::vector<RoundRecord> records;
    const auto range = [&](const char* sql) {
      SQLite::Statement query(*connection_, sql);
      query.bind(1, static_cast<std::int64_t>(first.value));
      query.bind(2, static_cast<std::int64_t>(last.value));
      return query;
    };
    SQLite::Statement rows = range(
        "SELECT round, model, base, started_at, seconds, attempt FROM rounds WHERE round BETWEEN ? AND ? "
        "ORDER BY round");
    while (rows.executeStep()) {
      RoundRecord record;
      record.round = RoundId{round_at(rows, 0)};
      record.model = digest_at(rows, 1);
      record.base = digest_at(rows, 2);
      record.started_at = rows.getColumn(3).getString();
      record.seconds = real_at(rows, 4);
      record.attempt = static_cast<std::uint32_t>(count_at(rows, 5));
      records.push_back(std::move(record));
    }
    std::size_t at = 0;
    SQLite::Statement clients = range(
        "SELECT round, client, outcome, reason, examples, update_digest, bytes_up, bytes_down, seconds, "
        "train_seconds"
        " FROM participations WHERE round BETWEEN ? AND ? ORDER BY round, client");
    while (clients.executeStep()) {
      while (at < records.size() && records[at].round.value < round_at(clients, 0)) ++at;
      if (at == records.size()) break;
      Participation participation;
      participation.client = clients.getColumn(1).getString();
      participation.outcome = outcome_of(clients.getColumn(2).getString());
      participation.reason = clients.getColumn(3).getString();
      participation.examples = count_at(clients, 4);
      participation.update = checksum_at(clients, 5);
      participation.bytes_up = count_at(clients, 6);
      participation.bytes_down = count_at(clients, 7);
      participation.seconds = real_at(clients, 8);
      participation.train_seconds = real_at(clients, 9);
      records[at].participations.push_back(std::move(participation));
    }
    at = 0;
    std::size_t member = 0;
    SQLite::Statement metrics = range(
        "SELECT round, client, name, sum, count FROM participation_metrics WHERE round BETWEEN ? AND ?"
        " ORDER BY round, client, position");
    while (metrics.executeStep()) {
      while (at < records.size() && records[at].round.value < round_at(metrics, 0)) ++at, member = 0;
      if (at == records.size()) break;
      auto& members = records[at].participations;
      const std::string client = metrics.getColumn(1).getString();
      while (member < members.size() && members[member].client != client) ++member;
      if (member == members.size()) break;
      members[member].metrics.push_back(
          {metrics.getColumn(2).getString(), real_at(metrics, 3), real_at(metrics, 4)});
    }
    if (version_ < 2) return records;
    at = 0;
    SQLite::Statement sums = range(
        "SELECT round, neighbours, threshold, with_keys, recovered, value_bits, ring_bits, clip, next_clip, "
        "setup_seconds, unmask_seconds, examples, scales, next_scales FROM secure_sums WHERE round BETWEEN ? "
        "AND ? ORDER BY "
        "round");
    while (sums.executeStep()) {
      while (at < records.size() && records[at].round.value < round_at(sums, 0)) ++at;
      if (at == records.size()) break;
      SecureSumRecord& secure = records[at].secure.emplace();
      const auto number = [&](int column) { return static_cast<std::uint32_t>(count_at(sums, column)); };
      secure.neighbours = number(1);
      secure.threshold = number(2);
      secure.with_keys = number(3);
      secure.recovered = number(4);
      secure.value_bits = number(5);
      secure.ring_bits = number(6);
      secure.clip = real_at(sums, 7);
      secure.next_clip = real_at(sums, 8);
      secure.setup_seconds = real_at(sums, 9);
      secure.unmask_seconds = real_at(sums, 10);
      secure.examples = count_at(sums, 11);
      secure.scales = reals_at(sums, 12);
      secure.next_scales = reals_at(sums, 13);
    }
    at = 0;
    SQLite::Statement sum_metrics = range(
        "SELECT round, name, sum, count FROM secure_sum_metrics WHERE round BETWEEN ? AND ? ORDER BY round, "
        "position");
    while (sum_metrics.executeStep()) {
      while (at < records.size() && records[at].round.value < round_at(sum_metrics, 0)) ++at;
      if (at == records.size()) break;
      if (records[at].secure)
        records[at].secure->metrics.push_back(
            {sum_metrics.getColumn(1).getString(), real_at(sum_metrics, 2), real_at(sum_metrics, 3)});
    }
    return records;
  });
}

Result<std::optional<Published>> Database::published(RoundId round) {
  return guarded("reading a published model", [&]() -> std::optional<Published> {
    if (version_ < 5) return std::nullopt;
    SQLite::Statement query(*connection_, "SELECT model, sum, step FROM published WHERE round = ?");
    query.bind(1, static_cast<std::int64_t>(round.value));
    if (!query.executeStep()) return std::nullopt;
    Published out;
    out.model = digest_at(query, 0);
    out.check = checksum_at(query, 1);
    out.delta = digest_at(query, 2);
    return out;
  });
}

Result<void> Database::insert_round(const RoundRecord& record) {
  return guarded("committing a round", [&] {
    SQLite::Transaction transaction(*connection_);
    const auto round = static_cast<std::int64_t>(record.round.value);
    SQLite::Statement insert(*connection_, "INSERT INTO rounds VALUES (?, ?, ?, ?, ?, ?)");
    insert.bind(1, round);
    bind(insert, 2, record.model);
    bind(insert, 3, record.base);
    insert.bind(4, record.started_at);
    insert.bind(5, record.seconds);
    insert.bind(6, static_cast<std::int64_t>(record.attempt));
    insert.exec();
    SQLite::Statement insert_client(*connection_,
                                    "INSERT INTO participations VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
    SQLite::Statement insert_metric(*connection_,
                                    "INSERT INTO participation_metrics VALUES (?, ?, ?, ?, ?, ?)");
    for (const Participation& participation : record.participations) {
      insert_client.reset();
      insert_client.bind(1, round);
      insert_client.bind(2, participation.client);
      insert_client.bind(3, name(participation.outcome));
      insert_client.bind(4, participation.reason);
      bind_count(insert_client, 5, participation.examples);
      if (participation.update.is_zero()) insert_client.bind(6, "", 0);
      else bind(insert_client, 6, participation.update);
      bind_count(insert_client, 7, participation.bytes_up);
      bind_count(insert_client, 8, participation.bytes_down);
      insert_client.bind(9, participation.seconds);
      insert_client.bind(10, participation.train_seconds);
      insert_client.exec();
      for (std::size_t i = 0; i < participation.metrics.size(); ++i) {
        insert_metric.reset();
        insert_metric.bind(1, round);
        insert_metric.bind(2, participation.client);
        bind_metric(insert_metric, 3, i, participation.metrics[i]);
        insert_metric.exec();
      }
    }
    if (record.published) {
      SQLite::Statement insert_published(*connection_, "INSERT INTO published VALUES (?, ?, ?, ?)");
      insert_published.bind(1, round);
      bind(insert_published, 2, record.published->model);
      bind(insert_published, 3, record.published->check);
      bind(insert_published, 4, record.published->delta);
      insert_published.exec();
    }
    if (record.secure) {
      const SecureSumRecord& secure = *record.secure;
      SQLite::Statement insert_sum(
          *connection_, "INSERT INTO secure_sums VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)");
      insert_sum.bind(1, round);
      int column = 2;
      for (const std::uint32_t number : {secure.neighbours, secure.threshold, secure.with_keys,
                                         secure.recovered, secure.value_bits, secure.ring_bits})
        insert_sum.bind(column++, static_cast<std::int64_t>(number));
      for (const double number : {secure.clip, secure.next_clip, secure.setup_seconds, secure.unmask_seconds})
        insert_sum.bind(column++, number);
      bind_count(insert_sum, column++, secure.examples);
      for (const std::vector<double>* scales : {&secure.scales, &secure.next_scales})
        insert_sum.bind(column++, scales->data(), static_cast<int>(scales->size() * sizeof(double)));
      insert_sum.exec();
      SQLite::Statement insert_sum_metric(*connection_,
                                          "INSERT INTO secure_sum_metrics VALUES (?, ?, ?, ?, ?)");
      for (std::size_t i = 0; i < secure.metrics.size(); ++i) {
        insert_sum_metric.reset();
        insert_sum_metric.bind(1, round);
        bind_metric(insert_sum_metric, 2, i, secure.metrics[i]);
        insert_sum_metric.exec();
      }
    }
    transaction.commit();
  });
}

Result<std::vector<std::pair<RoundId, Metrics>>> Database::evaluations(RoundId first, RoundId last) {
  return guarded("reading evaluations", [&] {
    SQLite::Statement query(*connection_,
                            "SELECT e.round, m.name, m.sum, m.count FROM evaluations e"
                            " LEFT JOIN evaluation_metrics m ON m.round = e.round"
                            " WHERE e.round BETWEEN ? AND ? ORDER BY e.round, m.position");
    query.bind(1, static_cast<std::int64_t>(first.value));
    query.bind(2, static_cast<std::int64_t>(last.value));
    std::vector<std::pair<RoundId, Metrics>> all;
    while (query.executeStep()) {
      const RoundId round{round_at(query, 0)};
      if (all.empty() || all.back().first != round) all.emplace_back(round, Metrics{});
      if (!query.getColumn(1).isNull())
        all.back().second.push_back({query.getColumn(1).getString(), real_at(query, 2), real_at(query, 3)});
    }
    return all;
  });
}

Result<void> Database::replace_evaluation(RoundId round, const Metrics& metrics) {
  return guarded("keeping an evaluation", [&] {
    SQLite::Transaction transaction(*connection_);
    for (const char* sql :
         {"DELETE FROM evaluations WHERE round = ?", "INSERT INTO evaluations VALUES (?)"}) {
      SQLite::Statement statement(*connection_, sql);
      statement.bind(1, static_cast<std::int64_t>(round.value));
      statement.exec();
    }
    SQLite::Statement insert(*connection_, "INSERT INTO evaluation_metrics VALUES (?, ?, ?, ?, ?)");
    for (std::size_t i = 0; i < metrics.size(); ++i) {
      insert.reset();
      insert.bind(1, static_cast<std::int64_t>(round.value));
      bind_metric(insert, 2, i, metrics[i]);
      insert.exec();
    }
    transaction.commit();
  });
}

}  // namespace hansa::server::internal
