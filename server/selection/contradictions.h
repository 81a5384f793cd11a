// Which clients contradict each other: of each pair at least one does not follow the protocol, and nobody knows which.
//
// An honest client contradicts corrupt ones only. A client that contradicts more others than there can be corrupt ones
// is therefore corrupt itself: the first rule of Buss for vertex covers (Buss, Goldsmith, "Nondeterminism within P",
// SIAM J. Comput. 22(3), 1993). One accuser alone proves nothing, but two clients that contradict each other need not
// be in the same cohort. Pure; one thread.
#pragma once
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>
#include <string_view>
#include <vector>

namespace hansa::server {

struct Contradiction {
  std::string one, other;
};

class Contradictions {
 public:
  // True if it was not known.
  bool add(const Contradiction& contradiction);
  [[nodiscard]] std::size_t count(std::string_view client) const;
  // The clients that contradict more than `most` others, and those that do so without these.
  [[nodiscard]] std::vector<std::string> beyond(std::size_t most) const;
  [[nodiscard]] std::vector<Contradiction> all() const;  // each once
  void forget(std::string_view client);

  // Removes clients until no two of the others contradict each other, or only `least` are left. First those that
  // contradict the most of the candidates; among equals the seed decides, so that not always the same one is left out.
  // candidates: sorted.
  [[nodiscard]] std::vector<std::string> keep_apart(std::vector<std::string> candidates, std::size_t least,
                                                    std::uint64_t seed) const;

 private:
  std::map<std::string, std::set<std::string, std::less<>>, std::less<>> others_;
};

}  // namespace hansa::server
