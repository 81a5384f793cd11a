// Which run of a federation is its newest: by the names that the runs recorded when they began, never by the times of
// files, which a copy or a `touch` changes.
#pragma once
#include <memory>
#include <optional>
#include <string>

#include "common/error.h"
#include "server/store/run_catalogue.h"

namespace hansa::server {

// An unused name that sorts by age: fashion-mnist-20260102-030405, ...-2, ...
[[nodiscard]] Result<std::string> fresh_run_name(const std::string& federation, RunCatalogue& runs);

struct NewestRun {
  std::string name;  // in the catalogue
  std::unique_ptr<Run> run;  // open for reading
  RunIdentity identity;
};
// Empty if the federation has no run of this kind that began. Fails (storage) if the newest one cannot be opened or its identity is
// damaged: then no other run may take its place. A damaged run counts by its name in the catalogue.
[[nodiscard]] Result<std::optional<NewestRun>> find_newest_run(const std::string& federation, RunKind kind,
                                                               RunCatalogue& runs);

// The error for a newest run that is damaged: `problem` with the code storage, and a hint if it has none.
[[nodiscard]] tl::unexpected<Error> fail_damaged_run(Error problem, const std::string& federation);

}  // namespace hansa::server
