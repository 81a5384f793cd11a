#include "client/state/state_store.h"

#include <array>
#include <ctime>
#include <limits>
#include <utility>

#include <SQLiteCpp/SQLiteCpp.h>
#include <sqlite3.h>

#include "client/state/internal/example_tables.h"
#include "client/state/internal/kept_table.h"
#include "client/state/internal/opened_table.h"
#include "client/state/internal/schema.h"
#include "client/state/internal/sealed.h"
#include "common/files.h"
#include "common/folder_lock.h"
#include "common/sqlite/connection.h"
#include "common/sqlite/guard.h"

namespace hansa::client {
namespace {

constexpr std::size_t vector_bytes_max = std::numeric_limits<int>::max() - 1024;

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

// Creates or updates the tables of a database that is open for writing. Returns what is wrong with the file; empty if
// nothing is.
std::string prepare(SQLite::Database& database) {
  const int version = sqlite::schema_version(database);
  database.exec("PRAGMA secure_delete = ON");  // deleted data of this device does not stay in the file
  if (version == 0) create_schema(database);
  if (sqlite::number_of(database, "PRAGMA application_id") != application_id)
    return "it is no state of a client";
  if (version != 0) migrate_schema(database, version);
  return {};
}

void reach(const ApplyOptions& options, const char* point) {
  if (options.reached) options.reached(point);
}

// Begins the turn of the task's changes. The earlier changes of a repeated task are undone.
std::int64_t begin_turn(SQLite::Database& database, TaskId task) {
  const Turn turn = turn_of(database, task);
  if (turn.asked == Asked::again) {
    undo_kept(database, turn.last);
    undo_examples(database, turn.last);
  } else {
    settle_kept(database, turn.last);
    settle_examples(database);
  }
  set_turn(database, task, turn.next());
  return turn.next();
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

std::optional<Error> StateStore::take_notice() {
  const std::lock_guard lock(mutex_);
  return std::exchange(notice_, std::nullopt);
}

std::uint64_t StateStore::generation() const {
  const std::lock_guard lock(mutex_);
  return generation_;
}

// Opens the file, or a new one in the place of a damaged one.
Result<void> StateStore::connect() {
  for (int attempt = 0;; ++attempt) {
    std::string damage;
    try {
      if (file_.empty()) database_ = sqlite::open_in_memory();
      else database_ = access_ == Access::read ? sqlite::open_to_read(file_) : sqlite::open_to_write(file_);
      const int version = sqlite::schema_version(*database_);
      if (version > schema_version)
        return fail(ErrorCode::storage, file_.string(),
                    "was written by a newer Hansa (schema " + std::to_string(version) + ", this one knows " +
                        std::to_string(schema_version) + ")",
                    "use that version, or another state folder");
      if (access_ == Access::read && version > 0 && version < schema_version)
        return fail(ErrorCode::storage, file_.string(), "was written by an older Hansa",
                    "start the client once: it brings its state up to date");
      if (access_ == Access::write) damage = prepare(*database_);
      else if (sqlite::number_of(*database_, "PRAGMA application_id") != application_id)
        damage = "it is no state of a client";
      const std::string check = database_->execAndGet("PRAGMA quick_check(1)").getString();
      if (check != "ok") damage = check;
      if (damage.empty()) return {};
    } catch (const Damaged& caught) {
      damage = caught.what;
    } catch (const MigrationFailed& caught) {
      return fail(ErrorCode::storage, file_.string(), "cannot be brought up to date (" + caught.what + ")",
                  "it is unchanged: use the version of Hansa that wrote it, or report a bug");
    } catch (const SQLite::Exception& caught) {
      if (!sqlite::is_damage(caught) && !(access_ == Access::write && caught.getErrorCode() == SQLITE_ERROR))
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
  notice_ = Error{ErrorCode::storage,
                  "",
                  "the client's state was damaged (" + why + ") and is set aside as " + name,
                  "it starts clean, and consumes again what its data source still has",
                  {ReasonCode::state_set_aside, {}}};
  return {};
}

// Runs `work`. If it finds damage, this call fails, and an empty store replaces the damaged one.
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
    if (!sqlite::is_damage(caught)) return tl::unexpected<Error>(sqlite::error_of(file_, doing, caught));
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
  return run("reading a position", [&] { return read_position(*database_, source); });
}

Result<void> StateStore::add(const learning::Arrival& arrival) {
  return run("storing new examples", [&] {
    SQLite::Transaction transaction(*database_);
    add_arrival(*database_, arrival);
    transaction.commit();
  });
}

Result<ExampleCounts> StateStore::counts() {
  return run("counting examples", [&] { return count_examples(*database_); });
}

Result<std::optional<DataDescription>> StateStore::description() {
  return run("reading the shape of the examples", [&] {
    std::optional<DataDescription> out;
    if (auto held = read_shape(*database_)) {
      out = learning::describe(held->shape);
      out->columns = std::move(held->columns);
      out->label = std::move(held->label);
      out->classes = std::move(held->classes);
    }
    return out;
  });
}

Result<std::vector<ConsumedSource>> StateStore::consumed() {
  return run("reading what was consumed", [&] { return read_consumed(*database_); });
}

Result<ExampleSnapshot> StateStore::snapshot(TaskId task) {
  return run("reading examples",
             [&] { return read_examples(*database_, turn_of(*database_, task), file_.string()); });
}

Result<learning::KeptVectors> StateStore::find(TaskId task, std::string_view scope) {
  return run("reading vectors", [&] { return find_kept(*database_, turn_of(*database_, task), scope); });
}

Result<void> StateStore::stage(const StagedChanges& changes, const ApplyOptions& options) {
  for (const auto& [name, vector] : changes.vectors)
    if (std::as_bytes(std::span(vector.values())).size() > vector_bytes_max)
      return fail(ErrorCode::resource, file_.string(), "takes no vector of 2 GiB or more: " + name);
  return run("storing what an update changes", [&] {
    SQLite::Transaction transaction(*database_);
    const Turn turn = turn_of(*database_, changes.task);
    undo_kept(*database_, turn.next());
    reach(options, "what was staged before is gone");
    put_staged(*database_, {changes.task, changes.seed, changes.data_mark});
    for (const auto& [name, vector] : changes.vectors)
      insert_kept(*database_, name, turn.next(), vector.of(), std::as_bytes(std::span(vector.values())));
    reach(options, "the vectors are stored");
    transaction.commit();
    reach(options, "the changes are staged");
  });
}

Result<bool> StateStore::apply(TaskId task, const ApplyOptions& options) {
  return run("applying a counted update", [&] {
    const auto staged = read_staged(*database_);
    if (!staged || staged->task != task) return false;
    SQLite::Transaction transaction(*database_);
    reach(options, "the transaction has begun");
    const std::int64_t turn = begin_turn(*database_, task);
    reach(options, "the turn has begun");
    if (options.replay_max)
      move_to_reservoir(*database_, {staged->mark, staged->seed, *options.replay_max, turn});
    reach(options, "the examples are moved");
    delete_staged(*database_);
    reach(options, "nothing is staged any more");
    transaction.commit();
    reach(options, "the transaction is committed");
    return true;
  });
}

Result<std::vector<secure_aggregation::OpenedSum>> StateStore::opened_sums() {
  return run("reading the opened sums", [&] { return read_opened(*database_); });
}

Result<void> StateStore::add_opened(const secure_aggregation::OpenedSum& sum) {
  return run("remembering an opened sum", [&] {
    SQLite::Transaction transaction(*database_);
    insert_opened(*database_, sum);
    transaction.commit();
  });
}

}  // namespace hansa::client
