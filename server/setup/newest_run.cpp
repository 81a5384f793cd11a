#include "server/setup/newest_run.h"

#include <algorithm>
#include <charconv>
#include <tuple>

#include "common/utc.h"

namespace hansa::server {
namespace {

constexpr std::string_view stamp_pattern = "dddddddd-dddddd";

// When a run began, from a name that fresh_run_name may have returned: the time, and the number of the run among those
// of the same second.
struct Began {
  std::string stamp;
  std::uint32_t number = 1;
  friend auto operator<=>(const Began&, const Began&) = default;
};

// Empty for other names: "fashion-mnist-20260102-030405" is not a run of the federation "fashion".
std::optional<Began> began_of(const std::string& federation, const std::string& name) {
  if (!name.starts_with(federation + "-")) return std::nullopt;
  const std::string_view text = std::string_view(name).substr(federation.size() + 1);
  if (text.size() < stamp_pattern.size()) return std::nullopt;
  for (std::size_t i = 0; i < stamp_pattern.size(); ++i)
    if (stamp_pattern[i] == 'd' ? text[i] < '0' || text[i] > '9' : text[i] != stamp_pattern[i])
      return std::nullopt;
  Began out{std::string(text.substr(0, stamp_pattern.size()))};
  const std::string_view rest = text.substr(stamp_pattern.size());
  if (rest.empty()) return out;
  if (rest[0] != '-') return std::nullopt;
  // Another ending is one that the operator gave to a copy.
  std::uint32_t number = 0;
  const auto [end, error] = std::from_chars(rest.data() + 1, rest.data() + rest.size(), number);
  if (error == std::errc() && end == rest.data() + rest.size()) out.number = number;
  return out;
}

struct Candidate {
  std::string name;
  Began began;
  bool original = false;  // its name is the one that it recorded
  std::unique_ptr<Run> run;
  std::optional<RunIdentity> identity;
  std::optional<Error> problem;

  [[nodiscard]] auto age() const { return std::tie(began, original, name); }
};

// Empty: the run does not belong to the federation, or nothing began in it.
Result<std::optional<Candidate>> read_candidate(const std::string& federation, const std::string& name,
                                                RunCatalogue& runs) {
  const auto began = began_of(federation, name);
  if (!began) return std::nullopt;
  Candidate out{name, *began, true, nullptr, {}, {}};
  HANSA_TRY(const bool empty, runs.is_empty(name));
  if (empty) return std::nullopt;
  auto run = runs.open_read_only(name);
  auto identity = run ? (*run)->identity() : tl::unexpected<Error>(run.error());
  if (!identity) {
    out.problem = std::move(identity).error();
    return out;
  }
  if (!*identity) {  // it never began, or it lost its identity
    if (auto checked = (*run)->check_newest(); !checked) {
      out.problem = std::move(checked).error();
      return out;
    }
    return std::nullopt;
  }
  out.run = std::move(*run);
  out.identity = std::move(**identity);
  if (const auto recorded = began_of(federation, out.identity->run)) out.began = *recorded;
  out.original = out.identity->run == name;
  return out;
}

}  // namespace

Result<std::string> fresh_run_name(const std::string& federation, RunCatalogue& runs) {
  HANSA_TRY(const auto names, runs.list());
  const std::string stem = federation + "-" + utc_text(utc_seconds_now(), "%Y%m%d-%H%M%S");
  std::string name = stem;
  for (int i = 2; std::ranges::find(names, name) != names.end(); ++i) name = stem + "-" + std::to_string(i);
  return name;
}

tl::unexpected<Error> fail_damaged_run(Error problem, const std::string& federation) {
  problem.code = ErrorCode::storage;
  problem.what += ": the newest run of \"" + federation + "\" cannot be continued";
  if (problem.hint.empty())
    problem.hint = "restore the run from a copy, or start another one with hansa-aggregator --new";
  return tl::unexpected<Error>(std::move(problem));
}

Result<std::optional<NewestRun>> find_newest_run(const std::string& federation, RunKind kind,
                                                 RunCatalogue& runs) {
  HANSA_TRY(const auto names, runs.list());
  std::optional<Candidate> newest;
  for (const std::string& name : names) {
    auto candidate = read_candidate(federation, name, runs);
    if (!candidate) {  // is_empty() failed
      Candidate unreadable{name, began_of(federation, name).value_or(Began{}), true, nullptr, {}, {}};
      unreadable.problem = std::move(candidate).error();
      candidate = std::optional(std::move(unreadable));
    }
    if (*candidate && (*candidate)->identity && (*candidate)->identity->kind != kind) continue;
    if (*candidate && (!newest || newest->age() < (*candidate)->age())) newest = std::move(**candidate);
  }
  if (!newest) return std::nullopt;
  if (newest->problem) return fail_damaged_run(std::move(*newest->problem), federation);
  return NewestRun{newest->name, std::move(newest->run), std::move(*newest->identity)};
}

}  // namespace hansa::server
