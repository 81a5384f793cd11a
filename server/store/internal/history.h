// The digests by which a damaged or edited row of run.sqlite is noticed, in the table `history`. Throws
// SQLite::Exception.
//
// Each committed round, and the run's identity as round 0, has two:
//   digest  SHA-256 over the digest of the round before, and the rows of this round that never change: a chain, so that
//           the last digest stands for all of them
//   seal    SHA-256 over `digest`, and the rows that say what the run still holds of the round, or that may be replaced:
//           its model and state, whether they are kept, what it published, its evaluation
// The seals of all rounds cost little to check. open() checks them before it removes a file that the rows do not name.
//
// The digests have no key: they show damage, not an attacker who computes them again. An operator who noted the last
// digest (`hansa verify` prints it) notices that too. One thread at a time.
#pragma once
#include <optional>
#include <string>
#include <vector>

#include "common/digest.h"
#include "common/identifiers.h"

namespace SQLite {
class Database;
}

namespace hansa::server::internal {

// Of errors about rows that do not match.
inline constexpr const char* damaged_hint =
    "restore the run from a copy, or start another one with hansa-aggregator --new";

// Adds the digests of the round that follows the last one in the table, or of round 0, within the caller's transaction,
// after all rows of the round.
void append_history(SQLite::Database& database, RoundId round);
// Computes the seals again, within the transaction that changed what they cover.
void renew_seals(SQLite::Database& database, const std::vector<RoundId>& rounds);
// Gives a run of an older schema the digests of all its rounds, within the caller's transaction.
void build_history(SQLite::Database& database);

struct HistoryCheck {
  Digest last;  // of the last round; zero if the run has not begun
  std::vector<std::string> problems;  // empty: all rows match. At most problems_max.
  static constexpr std::size_t problems_max = 20;
};
// Compares the seals of all rounds, and the digests from round `first` on, with the rows. A round of which a digest
// exists and no rows, or the reverse, is a problem.
[[nodiscard]] HistoryCheck check_history(SQLite::Database& database, RoundId first);
// Whether the identity matches its digest. Fast.
[[nodiscard]] bool identity_matches(SQLite::Database& database);

}  // namespace hansa::server::internal
