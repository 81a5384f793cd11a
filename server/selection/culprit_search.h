// Finds the clients with which sums are refused, if nothing shows who they are: group testing.
//
// A sum that is refused contains a culprit; a sum that is committed contains none. After a refused sum of a cohort its
// halves are tried, and if these fail too, small disjoint groups, until one of them commits a round. From then on
// groups of the others are added to clients that are known to be clean, and a group that fails is halved: binary
// splitting (Hwang, "A method for detecting all defective members in a population by group testing", J. Am. Stat.
// Assoc. 67, 1972). Each culprit costs about log2 of the cohort in refused sums, and each other attempt commits a
// round.
//
// A culprit that behaves well now and then can direct the search to somebody else. So who is found is only left out for
// a while (reliability.h), and the search begins again with the next refused sum. Seeded and pure; one thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <deque>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hansa::server {

class CulpritSearch {
 public:
  using Clients = std::vector<std::string>;  // sorted

  explicit CulpritSearch(std::uint64_t seed) : seed_(seed) {}

  // What an attempt has shown. is_in_vain: nothing new; every group of a partition has failed.
  struct Finding {
    std::optional<std::string> culprit;
    bool is_in_vain = false;
  };
  // The sum of these clients was refused. least: the smallest cohort.
  Finding on_refused(const Clients& cohort, std::size_t least);
  // A round of these clients is committed. Returns the client that must be the culprit, if only one is left.
  std::optional<std::string> on_committed(const Clients& cohort);

  [[nodiscard]] bool is_active() const { return !suspects_.empty(); }
  // Whether the client may be a culprit.
  [[nodiscard]] bool suspects(std::string_view client) const { return suspects_.contains(client); }
  // Whether a sum was committed since the search began.
  [[nodiscard]] bool knows_clean() const { return !clean_.empty(); }
  // The next cohort, while the search is active: `least` to `most` of the candidates, which are at least `least`.
  // Empty: no suspect is among the candidates, and the search has ended.
  [[nodiscard]] Clients next(const Clients& candidates, std::size_t least, std::size_t most);

 private:
  using Set = std::set<std::string, std::less<>>;
  struct Group {
    Clients members;
    bool is_guilty = false;  // one of them is a culprit
    bool clears_to_next = false;  // if it is clean, the next group is guilty
  };
  void plan(std::size_t least);
  void split_front();
  // Splits a group that is known to be guilty, or takes its only member out.
  std::optional<std::string> settle();
  void end();

  std::uint64_t seed_;
  std::uint64_t partitions_ = 0;
  std::uint32_t generation_ = 0;  // of partitions, in this search
  std::uint32_t refused_in_a_row_ = 0;
  Set suspects_;  // neither clean nor found
  Set clean_;
  std::deque<Clients> cohorts_;  // to be tried while nobody is known to be clean
  std::deque<Group> groups_;  // to be added to the clean ones
};

}  // namespace hansa::server
