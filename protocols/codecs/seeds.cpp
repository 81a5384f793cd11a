#include "protocols/codecs/seeds.h"

#include "common/random.h"

namespace hansa::codecs {

Seeds update_seeds(std::uint64_t task_seed, std::uint64_t cohort_seed) {
  return {derive_seed(task_seed, "codec rotation"), cohort_seed, derive_seed(task_seed, "codec rounding")};
}

Seeds delta_seeds(const Digest& base) {
  Seeds out;
  for (std::size_t i = 0; i < 8; ++i) out.update |= std::uint64_t{base.bytes[i]} << (8 * i);
  out.rounding = derive_seed(out.update, "codec rounding");
  return out;
}

}  // namespace hansa::codecs
