#include "server/store/internal/run_check.h"

#include <algorithm>
#include <limits>
#include <optional>

#include "common/files.h"
#include "server/store/internal/metrics_lines.h"
#include "server/store/run_statistics.h"

namespace hansa::server::internal {
namespace {

constexpr std::uint32_t newest_rounds = 64;  // whose rows are compared with their digests at a start
constexpr std::uint32_t all_rounds = std::numeric_limits<std::uint32_t>::max();
constexpr std::size_t layout_bytes_max = 64 << 20;

Result<void> require_digest(const std::filesystem::path& file, const Digest& found, const Digest& wanted) {
  if (found == wanted) return {};
  return fail(ErrorCode::storage, file.string(),
              "is not the one that the run was started with: its digest is " + found.brief() +
                  ", and the run has " + wanted.brief(),
              "restore the file from a copy");
}

// Collects problems instead of ending at the first.
class Collector {
 public:
  explicit Collector(std::vector<std::string>& problems) : problems_(problems) {}
  void add(std::string problem) {
    if (problems_.size() < HistoryCheck::problems_max) problems_.push_back(std::move(problem));
  }
  template <class T>
  void add_error(const Result<T>& result) {
    if (!result) add(result.error().text());
  }

 private:
  std::vector<std::string>& problems_;
};

// Reads every file that the rows name. A file that is no longer named when it has been read was removed by the
// aggregator that works on the run.
Result<void> check_files(const RunParts& run, const RunIdentity& identity, std::uint64_t vector_bytes,
                         RunCheck& out, Collector& problems) {
  HANSA_TRY(const auto named, run.database.named());
  struct Damaged {
    Digest digest;
    Error error;
  };
  std::vector<Damaged> damaged;
  for (const Digest& vector : named.vectors) {
    ++out.vectors;
    const bool has_own_size = std::ranges::any_of(identity.initial_state, [&](const StateVector& state) {
      return is_statistics(state) && state.vector == vector;
    });
    const std::optional<std::uint64_t> bytes =
        has_own_size ? std::nullopt : std::optional<std::uint64_t>(vector_bytes);
    if (auto whole = run.models.check(vector, bytes); !whole) damaged.push_back({vector, whole.error()});
  }
  for (const Digest& delta : named.deltas) {
    ++out.deltas;
    if (auto whole = run.deltas.get(delta); !whole) damaged.push_back({delta, whole.error()});
  }
  if (damaged.empty()) return {};
  HANSA_TRY(const auto still, run.database.named());
  for (const auto& [digest, error] : damaged)
    if (still.vectors.contains(digest) || still.deltas.contains(digest)) problems.add(error.text());
  return {};
}

}  // namespace

Result<void> check_archive(const std::filesystem::path& folder, const RunIdentity& identity) {
  if (identity.archive.is_zero()) return {};  // a run that was begun without an archive
  const auto file = folder / "archive.pt";
  HANSA_TRY(const Digest found, digest_of_file(file));
  return require_digest(file, found, identity.archive);
}

Result<ParameterLayout> read_layout(const std::filesystem::path& folder,
                                    const std::optional<RunIdentity>& identity) {
  const auto file = folder / "layout.txt";
  HANSA_TRY(const std::string text, read_text_file(file, layout_bytes_max));
  auto layout = ParameterLayout::parse(text, file.string());
  if (!layout) {
    layout.error().code = ErrorCode::storage;  // it was valid when the run began
    return layout;
  }
  if (identity) HANSA_TRY_VOID(require_digest(file, layout->digest(), identity->layout));
  return layout;
}

Result<void> check_no_round_is_lost(const std::filesystem::path& folder, Database& database) {
  const auto file = folder / "metrics.jsonl";
  HANSA_TRY(const auto newest, newest_round_of(file));
  HANSA_TRY(const RoundId last, database.last_round());
  if (!newest || *newest <= last) return {};
  return fail(ErrorCode::storage, (folder / "run.sqlite").string(),
              "ends with round " + std::to_string(last.value) + ", and metrics.jsonl has round " +
                  std::to_string(newest->value) + ": the rounds after " + std::to_string(last.value) +
                  " are lost",
              "restore the run from a copy; to continue after round " + std::to_string(last.value) +
                  " nevertheless, remove metrics.jsonl, which is written again");
}

Result<void> check_rows(const RunParts& run) {
  HANSA_TRY(const auto check, run.database.check_history(newest_rounds));
  if (!check.problems.empty())
    return fail(ErrorCode::storage, (run.folder / "run.sqlite").string(), check.problems.front(),
                damaged_hint);
  return check_no_round_is_lost(run.folder, run.database);
}

Result<std::vector<std::string>> check_newest(const RunParts& run) {
  HANSA_TRY_VOID(check_rows(run));
  HANSA_TRY(const auto identity, run.database.identity());
  if (!identity) return std::vector<std::string>{};
  HANSA_TRY_VOID(check_archive(run.folder, *identity));
  HANSA_TRY(const auto layout, read_layout(run.folder, identity));
  const std::uint64_t bytes = layout.element_count() * sizeof(float);
  HANSA_TRY(const RoundId last, run.database.last_round());
  Digest model = identity->initial_model;
  std::vector<StateVector> state = identity->initial_state;
  if (last.value > 0) {
    HANSA_TRY(const auto records, run.database.rounds(last, last));
    if (records.empty())
      return fail(ErrorCode::storage, run.folder.string(), "has lost its last round", damaged_hint);
    model = records.front().model;
    state = records.front().state;
  }
  HANSA_TRY_VOID(run.models.check(model, bytes));
  for (const StateVector& vector : state)
    if (!is_statistics(vector)) HANSA_TRY_VOID(run.models.check(vector.vector, bytes));
  for (const StateVector& vector : identity->initial_state)
    if (is_statistics(vector)) HANSA_TRY_VOID(run.models.check(vector.vector, {}));
  if (run.database.schema() >= schema_with_history) return std::vector<std::string>{};
  return std::vector<std::string>{run.folder.string() + ": an older Hansa wrote this run. Its " +
                                  std::to_string(last.value) +
                                  " rounds get digests now; damage from before is not noticed by them"};
}

Result<RunCheck> check_all(const RunParts& run) {
  RunCheck out;
  Collector problems(out.problems);
  HANSA_TRY(out.problems, run.database.structure_problems());
  HANSA_TRY(auto history, run.database.check_history(all_rounds));
  for (std::string& problem : history.problems) problems.add(std::move(problem));
  out.history = history.last;
  HANSA_TRY(out.last, run.database.last_round());
  problems.add_error(check_no_round_is_lost(run.folder, run.database));
  const auto identity = run.database.identity();
  if (!identity) problems.add(identity.error().text());
  else if (!*identity) problems.add("the run has not begun");
  if (!identity || !*identity) return out;
  if (run.database.schema() < schema_with_history)
    out.notes.push_back("an older Hansa wrote this run (schema " + std::to_string(run.database.schema()) +
                        "), and it has no digests of its rows; the next start of its aggregator adds them");
  problems.add_error(check_archive(run.folder, **identity));
  const auto layout = read_layout(run.folder, *identity);
  problems.add_error(layout);
  if (!layout || run.database.schema() < schema_with_state) return out;
  HANSA_TRY_VOID(check_files(run, **identity, layout->element_count() * sizeof(float), out, problems));
  return out;
}

}  // namespace hansa::server::internal
