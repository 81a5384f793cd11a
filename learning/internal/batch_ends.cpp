#include "learning/internal/batch_ends.h"

#include <algorithm>

namespace hansa::learning {

std::vector<std::size_t> batch_ends(const EpochCut& cut) {
  const std::size_t step = std::max(cut.batch_size, cut.batch_size_min);
  std::vector<std::size_t> ends;
  for (std::size_t end = step; end < cut.examples; end += step) ends.push_back(end);
  if (!ends.empty() && cut.examples - ends.back() < cut.batch_size_min) ends.pop_back();
  ends.push_back(cut.examples);
  return ends;
}

std::size_t largest_batch(const std::vector<std::size_t>& ends) {
  std::size_t largest = 0;
  std::size_t begin = 0;
  for (const std::size_t end : ends) {
    largest = std::max(largest, end - begin);
    begin = end;
  }
  return largest;
}

}  // namespace hansa::learning
