#include "client/state/state_store.h"

#include <array>
#include <cstring>
#include <ctime>
#include <limits>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <nlohmann/json.hpp>
#include <sqlite3.h>

#include "common/files.h"
#include "common/folder_lock.h"
#include "common/random.h"

namespace hansa::client {
namespace {

using nlohmann::json;

constexpr int schema_version = 1;
constexpr int application_id = 0x48414E53;  // "HANS": another program's database is not taken for a state
constexpr int busy_timeout_ms = 5'000;
constexpr std::size_t seal_bytes = 16;

constexpr const char* schema = R"sql(
CREATE TABLE sources (
  source   TEXT PRIMARY KEY,
  records  INTEGER NOT NULL,
  examples INTEGER NOT NULL,
  digest   BLOB NOT NULL,      -- of all records: multiset_digest.h
  position BLOB NOT NULL       -- sealed JSON
) WITHOUT ROWID;
CREATE TABLE shape (           -- of all examples
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  shape BLOB NOT NULL          -- sealed JSON
);
CREATE TABLE fresh (           -- examples that no counted update was trained on
  id      INTEGER PRIMARY KEY AUTOINCREMENT,
  example BLOB NOT NULL        -- sealed: inputs as float32, then targets as float32 or int64, little-endian
);
CREATE TABLE replay (
  slot    INTEGER PRIMARY KEY, -- 0 to replay_max - 1
  example BLOB NOT NULL
);
CREATE TABLE trained (
  id    INTEGER PRIMARY KEY CHECK (id = 1),
  count INTEGER NOT NULL,
  seed  INTEGER NOT NULL       -- of the reservoir's choices
);
INSERT INTO trained VALUES (1, 0, random());
CREATE TABLE kept (
  key   TEXT PRIMARY KEY,
  value BLOB NOT NULL          -- sealed
) WITHOUT ROWID;
)sql";

// Thrown when what was read is not what was written; never leaves this file.
struct Damaged {
  std::string what;
};
// A failure that is nobody's damage; never leaves this file.
struct Refused {
  Error error;
};

bool is_damage(int code) { return code == SQLITE_CORRUPT || code == SQLITE_NOTADB || code == SQLITE_FORMAT; }

// A blob with the first bytes of its SHA-256 before it: SQLite itself does not see a bit that flipped inside a value.
std::vector<std::byte> sealed(std::span<const std::byte> bytes) {
  const Digest digest = sha256(bytes);
  std::vector<std::byte> out(seal_bytes + bytes.size());
  std::memcpy(out.data(), digest.bytes.data(), seal_bytes);
  if (!bytes.empty()) std::memcpy(out.data() + seal_bytes, bytes.data(), bytes.size());
  return out;
}
std::vector<std::byte> sealed(const std::string& text) { return sealed(std::as_bytes(std::span(text))); }

std::span<const std::byte> unsealed(const SQLite::Column& column) {
  const auto* data = static_cast<const std::byte*>(column.getBlob());
  const auto size = static_cast<std::size_t>(column.getBytes());
  if (size < seal_bytes) throw Damaged{"a value is cut"};
  const std::span<const std::byte> bytes(data + seal_bytes, size - seal_bytes);
  if (std::memcmp(sha256(bytes).bytes.data(), data, seal_bytes) != 0) throw Damaged{"a value has changed"};
  return bytes;
}
std::string unsealed_text(const SQLite::Column& column) {
  const auto bytes = unsealed(column);
  return std::string(reinterpret_cast<const char*>(bytes.data()), bytes.size());
}

void bind_bytes(SQLite::Statement& to, int index, std::span<const std::byte> bytes) {
  to.bind(index, bytes.data(), static_cast<int>(bytes.size()));
}

json json_of(const learning::ExampleShape& shape) {
  return {{"input", shape.input},
          {"target", shape.target},
          {"real", shape.target_kind == learning::TargetKind::real},
          {"classes", shape.class_count}};
}
learning::ExampleShape shape_of(const std::string& text) {
  const json kept = json::parse(text, nullptr, false);
  learning::ExampleShape out;
  try {
    kept.at("input").get_to(out.input);
    kept.at("target").get_to(out.target);
    out.target_kind =
        kept.at("real").get<bool>() ? learning::TargetKind::real : learning::TargetKind::class_index;
    kept.at("classes").get_to(out.class_count);
  } catch (const json::exception&) {
    throw Damaged{"the shape of the examples cannot be read"};
  }
  return out;
}
std::string text_of(const learning::ExampleShape& shape) {
  std::string out;
  for (const std::int64_t size : shape.input) out += (out.empty() ? "" : " x ") + std::to_string(size);
  return out + (shape.target_kind == learning::TargetKind::real ? " with numbers as labels"
                                                                : " with classes as labels");
}

// One example to and from its bytes.
class ExampleBytes {
 public:
  explicit ExampleBytes(const learning::ExampleShape& shape)
      : inputs_(shape.input_elements()),
        targets_(shape.target_elements()),
        real_(shape.target_kind == learning::TargetKind::real) {}

  [[nodiscard]] std::vector<std::byte> pack(const learning::Examples& from, std::size_t index) const {
    std::vector<std::byte> out(size());
    std::memcpy(out.data(), from.inputs.data() + index * inputs_, inputs_ * sizeof(float));
    std::byte* targets = out.data() + inputs_ * sizeof(float);
    if (real_) std::memcpy(targets, from.reals.data() + index * targets_, targets_ * sizeof(float));
    else std::memcpy(targets, from.classes.data() + index * targets_, targets_ * sizeof(std::int64_t));
    return out;
  }
  void unpack(std::span<const std::byte> bytes, learning::Examples& to) const {
    if (bytes.size() != size()) throw Damaged{"an example has another size"};
    append(bytes.first(inputs_ * sizeof(float)), to.inputs);
    bytes = bytes.subspan(inputs_ * sizeof(float));
    if (real_) append(bytes, to.reals);
    else append(bytes, to.classes);
  }

 private:
  [[nodiscard]] std::size_t size() const {
    return inputs_ * sizeof(float) + targets_ * (real_ ? sizeof(float) : sizeof(std::int64_t));
  }
  template <class T>
  static void append(std::span<const std::byte> bytes, std::vector<T>& to) {
    const std::size_t before = to.size();
    to.resize(before + bytes.size() / sizeof(T));
    std::memcpy(to.data() + before, bytes.data(), bytes.size());
  }

  std::size_t inputs_, targets_;
  bool real_;
};

std::string dated_name(const std::filesystem::path& file) {
  const std::time_t now = std::time(nullptr);
  std::tm parts{};
  gmtime_r(&now, &parts);
  std::array<char, 32> text{};
  (void)std::strftime(text.data(), text.size(), "%Y%m%dT%H%M%SZ", &parts);
  const std::string base = file.string() + ".damaged-" + text.data();
  std::string name = base;
  for (int i = 2; std::filesystem::exists(name); ++i) name = base + "-" + std::to_string(i);
  return name;
}

std::optional<learning::ExampleShape> read_shape(SQLite::Database& database) {
  SQLite::Statement query(database, "SELECT shape FROM shape");
  if (!query.executeStep()) return std::nullopt;
  return shape_of(unsealed_text(query.getColumn(0)));
}

void keep_shape(SQLite::Database& database, const learning::ExampleShape& shape) {
  SQLite::Statement keep(database, "INSERT OR REPLACE INTO shape VALUES (1, ?)");
  bind_bytes(keep, 1, sealed(json_of(shape).dump()));
  keep.exec();
}

std::int64_t number_in(SQLite::Database& database, const char* query) {
  return database.execAndGet(query).getInt64();
}

}  // namespace

StateStore::StateStore(std::filesystem::path file, Access access) : file_(std::move(file)), access_(access) {}
StateStore::~StateStore() = default;

Result<std::unique_ptr<StateStore>> StateStore::open(const std::filesystem::path& folder) {
  HANSA_TRY_VOID(make_folders(folder));
  std::unique_ptr<StateStore> out(new StateStore(folder / file_name, Access::write));
  HANSA_TRY(out->lock_, lock_folder(folder, "give each client a state folder of its own"));
  HANSA_TRY_VOID(out->connect());
  return out;
}

Result<std::unique_ptr<StateStore>> StateStore::in_memory() {
  std::unique_ptr<StateStore> out(new StateStore({}, Access::write));
  HANSA_TRY_VOID(out->connect());
  return out;
}

Result<std::unique_ptr<StateStore>> StateStore::open_to_read(const std::filesystem::path& folder) {
  const auto file = folder / file_name;
  std::error_code ignored;
  if (!std::filesystem::exists(file, ignored))
    return fail(ErrorCode::storage, file.string(), "does not exist",
                "name a client's state folder: [client] state in its client.toml");
  std::unique_ptr<StateStore> out(new StateStore(file, Access::read));
  HANSA_TRY_VOID(out->connect());
  return out;
}

std::string StateStore::take_notice() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notice_, {});
}

std::uint64_t StateStore::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

// Opens the file, or what takes a damaged one's place.
Result<void> StateStore::connect() {
  for (int attempt = 0;; ++attempt) {
    std::string damage;
    try {
      const int mode =
          access_ == Access::read ? SQLite::OPEN_READONLY : SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE;
      database_ = std::make_unique<SQLite::Database>(file_.empty() ? ":memory:" : file_.string(), mode,
                                                     busy_timeout_ms);
      const int version = database_->execAndGet("PRAGMA user_version").getInt();
      if (version > schema_version)
        return fail(ErrorCode::storage, file_.string(),
                    "was written by a newer Hansa (schema " + std::to_string(version) + ", this one knows " +
                        std::to_string(schema_version) + ")",
                    "use that version, or another state folder");
      if (access_ == Access::write) {
        database_->exec("PRAGMA journal_mode = WAL");
        database_->exec("PRAGMA synchronous = FULL");
        database_->exec("PRAGMA secure_delete = ON");  // what was data of this device does not linger
      }
      if (version == 0 && access_ == Access::write) {
        SQLite::Transaction transaction(*database_);
        database_->exec(schema);
        database_->exec("PRAGMA application_id = " + std::to_string(application_id));
        database_->exec("PRAGMA user_version = " + std::to_string(schema_version));
        transaction.commit();
      }
      const std::string check = database_->execAndGet("PRAGMA quick_check(1)").getString();
      if (check == "ok" && database_->execAndGet("PRAGMA application_id").getInt() == application_id)
        return {};
      damage = check == "ok" ? "it is no state of a client" : check;
    } catch (const SQLite::Exception& caught) {
      if (!is_damage(caught.getErrorCode()) &&
          !(access_ == Access::write && caught.getErrorCode() == SQLITE_ERROR))
        return fail(ErrorCode::storage, file_.string(),
                    std::string("cannot be opened (") + caught.what() + ")");
      damage = caught.what();
    }
    if (access_ == Access::read || file_.empty() || attempt > 0)
      return fail(ErrorCode::storage, file_.string(), "is damaged (" + damage + ")",
                  "the client sets it aside at its next start");
    HANSA_TRY_VOID(set_aside(damage));
  }
}

Result<void> StateStore::set_aside(const std::string& why) {
  database_.reset();
  const std::string name = dated_name(file_);
  std::error_code error;
  std::filesystem::rename(file_, name, error);
  if (error)
    return fail(ErrorCode::storage, file_.string(),
                "is damaged (" + why + ") and cannot be set aside (" + error.message() + ")",
                "move it away by hand");
  std::error_code ignored;
  for (const char* side : {"-wal", "-shm"})
    std::filesystem::rename(file_.string() + side, name + side, ignored);
  ++generation_;
  notice_ = "the client's state was damaged (" + why + ") and is set aside as " + name +
            "; it starts clean, and consumes again what its data source still has";
  return {};
}

// Runs work; damage that it meets puts an empty store in place, and is the error of this call.
template <class Work>
auto StateStore::run(const char* doing, Work work) -> Result<decltype(work())> {
  const std::lock_guard lock(mutex_);
  std::string damage;
  try {
    if (database_ == nullptr) {
      HANSA_TRY_VOID(connect());
    }
    if constexpr (std::is_void_v<decltype(work())>) {
      work();
      return {};
    } else {
      return work();
    }
  } catch (const Damaged& caught) {
    damage = caught.what;
  } catch (const Refused& refused) {
    return tl::unexpected<Error>(refused.error);
  } catch (const SQLite::Exception& caught) {
    if (!is_damage(caught.getErrorCode()))
      return fail(
          ErrorCode::storage, file_.string(), std::string(doing) + " failed (" + caught.what() + ")",
          caught.getErrorCode() == SQLITE_FULL ? "free some space; nothing that was stored is lost" : "");
    damage = caught.what();
  }
  if (access_ == Access::read || file_.empty())
    return fail(ErrorCode::storage, file_.string(), "is damaged (" + damage + ")",
                "the client sets it aside when it meets that");
  HANSA_TRY_VOID(set_aside(damage));
  HANSA_TRY_VOID(connect());
  return fail(ErrorCode::storage, file_.string(), "was damaged (" + damage + "), and is set aside");
}

Result<std::optional<std::string>> StateStore::position(const std::string& source) {
  return run("reading a position", [&]() -> std::optional<std::string> {
    SQLite::Statement query(*database_, "SELECT position FROM sources WHERE source = ?");
    query.bind(1, source);
    if (!query.executeStep()) return std::nullopt;
    return unsealed_text(query.getColumn(0));
  });
}

Result<void> StateStore::add(const learning::Arrival& arrival) {
  return run("storing new examples", [&] {
    SQLite::Transaction transaction(*database_);
    const std::size_t count = arrival.examples.count();
    if (count > 0) {
      learning::ExampleShape shape = arrival.examples.shape;
      if (const auto held = read_shape(*database_)) {
        if (held->input != shape.input || held->target != shape.target ||
            held->target_kind != shape.target_kind)
          throw Refused{Error{ErrorCode::data, arrival.source,
                              "gives examples of " + text_of(shape) +
                                  ", but the client's state holds examples of " + text_of(*held),
                              "set [data] as it was, or name another [client] state folder"}};
        shape.class_count = std::max(shape.class_count, held->class_count);
        if (shape.class_count != held->class_count) keep_shape(*database_, shape);
      } else {
        keep_shape(*database_, shape);
      }
      const ExampleBytes bytes(shape);
      SQLite::Statement insert(*database_, "INSERT INTO fresh (example) VALUES (?)");
      for (std::size_t i = 0; i < count; ++i) {
        bind_bytes(insert, 1, sealed(bytes.pack(arrival.examples, i)));
        insert.exec();
        insert.reset();
      }
    }
    learning::MultisetDigest digest = arrival.digest;
    SQLite::Statement known(*database_, "SELECT digest FROM sources WHERE source = ?");
    known.bind(1, arrival.source);
    if (known.executeStep()) {
      Digest before;
      const SQLite::Column column = known.getColumn(0);
      if (column.getBytes() != static_cast<int>(before.bytes.size())) throw Damaged{"a digest is cut"};
      std::memcpy(before.bytes.data(), column.getBlob(), before.bytes.size());
      digest.add(before);
    }
    SQLite::Statement keep(
        *database_,
        "INSERT INTO sources VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (source) DO UPDATE SET "
        "records = records + ?2, examples = examples + ?3, digest = ?4, position = ?5");
    keep.bind(1, arrival.source);
    keep.bind(2, static_cast<std::int64_t>(arrival.records));
    keep.bind(3, static_cast<std::int64_t>(count));
    bind_bytes(keep, 4, std::as_bytes(std::span(digest.value().bytes)));
    bind_bytes(keep, 5, sealed(arrival.position));
    keep.exec();
    transaction.commit();
  });
}

Result<ExampleCounts> StateStore::counts() {
  return run("counting examples", [&] {
    ExampleCounts out;
    out.fresh = static_cast<std::uint64_t>(number_in(*database_, "SELECT count(*) FROM fresh"));
    out.replay = static_cast<std::uint64_t>(number_in(*database_, "SELECT count(*) FROM replay"));
    out.trained = static_cast<std::uint64_t>(number_in(*database_, "SELECT count FROM trained"));
    return out;
  });
}

Result<std::vector<ConsumedSource>> StateStore::consumed() {
  return run("reading what was consumed", [&] {
    std::vector<ConsumedSource> out;
    SQLite::Statement query(
        *database_, "SELECT source, records, examples, digest, position FROM sources ORDER BY source");
    while (query.executeStep()) {
      ConsumedSource one;
      one.source = query.getColumn(0).getString();
      one.records = static_cast<std::uint64_t>(query.getColumn(1).getInt64());
      one.examples = static_cast<std::uint64_t>(query.getColumn(2).getInt64());
      Digest digest;
      const SQLite::Column column = query.getColumn(3);
      if (column.getBytes() != static_cast<int>(digest.bytes.size())) throw Damaged{"a digest is cut"};
      std::memcpy(digest.bytes.data(), column.getBlob(), digest.bytes.size());
      one.digest = learning::MultisetDigest(digest);
      one.position = unsealed_text(query.getColumn(4));
      out.push_back(std::move(one));
    }
    return out;
  });
}

Result<StateStore::Snapshot> StateStore::snapshot() {
  return run("reading examples", [&] {
    Snapshot out;
    const auto shape = read_shape(*database_);
    if (!shape)
      throw Refused{Error{ErrorCode::data, file_.string(), "holds no example yet", "data has yet to arrive"}};
    out.examples.shape = *shape;
    const ExampleBytes bytes(*shape);
    SQLite::Statement fresh(*database_, "SELECT id, example FROM fresh ORDER BY id");
    while (fresh.executeStep()) {
      out.mark = static_cast<std::uint64_t>(fresh.getColumn(0).getInt64());
      bytes.unpack(unsealed(fresh.getColumn(1)), out.examples);
      ++out.fresh;
    }
    SQLite::Statement replay(*database_, "SELECT example FROM replay ORDER BY slot");
    while (replay.executeStep()) bytes.unpack(unsealed(replay.getColumn(0)), out.examples);
    if (out.examples.count() == 0)
      throw Refused{Error{ErrorCode::data, file_.string(), "holds no example", "data has yet to arrive"}};
    return out;
  });
}

Result<void> StateStore::trained(std::uint64_t mark, std::uint64_t replay_max) {
  return run("moving examples to the reservoir", [&] {
    SQLite::Transaction transaction(*database_);
    auto count = static_cast<std::uint64_t>(number_in(*database_, "SELECT count FROM trained"));
    const auto seed = static_cast<std::uint64_t>(number_in(*database_, "SELECT seed FROM trained"));
    SQLite::Statement fresh(*database_, "SELECT id FROM fresh WHERE id <= ? ORDER BY id");
    fresh.bind(1, static_cast<std::int64_t>(mark));
    SQLite::Statement keep(*database_,
                           "INSERT OR REPLACE INTO replay SELECT ?, example FROM fresh WHERE id = ?");
    while (fresh.executeStep()) {
      const std::int64_t id = fresh.getColumn(0).getInt64();
      // Drawn by the example's number: a crash before the commit changes no choice.
      const std::uint64_t slot =
          count < replay_max ? count : Random(derive_seed(seed, "replay reservoir", count)).below(count + 1);
      ++count;
      if (slot >= replay_max) continue;
      keep.bind(1, static_cast<std::int64_t>(slot));
      keep.bind(2, id);
      keep.exec();
      keep.reset();
    }
    SQLite::Statement gone(*database_, "DELETE FROM fresh WHERE id <= ?");
    gone.bind(1, static_cast<std::int64_t>(mark));
    gone.exec();
    // The configuration may have become smaller.
    SQLite::Statement cut(*database_, "DELETE FROM replay WHERE slot >= ?");
    cut.bind(1, static_cast<std::int64_t>(replay_max));
    cut.exec();
    SQLite::Statement total(*database_, "UPDATE trained SET count = ?");
    total.bind(1, static_cast<std::int64_t>(count));
    total.exec();
    transaction.commit();
  });
}

Result<std::optional<std::vector<std::byte>>> StateStore::get(const std::string& key) {
  return run("reading a value", [&]() -> std::optional<std::vector<std::byte>> {
    SQLite::Statement query(*database_, "SELECT value FROM kept WHERE key = ?");
    query.bind(1, key);
    if (!query.executeStep()) return std::nullopt;
    const auto bytes = unsealed(query.getColumn(0));
    return std::vector<std::byte>(bytes.begin(), bytes.end());
  });
}

Result<void> StateStore::put(const std::string& key, std::span<const std::byte> value) {
  if (value.size() > static_cast<std::size_t>(std::numeric_limits<int>::max()) - seal_bytes)
    return fail(ErrorCode::resource, file_.string(), "takes no value of more than 2 GiB");
  return run("keeping a value", [&] {
    SQLite::Statement keep(*database_, "INSERT OR REPLACE INTO kept VALUES (?, ?)");
    keep.bind(1, key);
    bind_bytes(keep, 2, sealed(value));
    keep.exec();
  });
}

}  // namespace hansa::client
