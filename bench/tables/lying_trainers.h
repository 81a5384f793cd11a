// Clients that send wrong updates, for the table of robust rules.
#pragma once
#include <cstdint>
#include <memory>

#include "learning/trainer.h"

namespace hansa::bench {

enum class Lie : std::uint8_t {
  sign,  // minus the trained change (Fung et al. 2018 and others: sign flipping)
  reversed,  // minus ten times the trained change
  gaussian,  // normal noise with the length of the trained change times 10 (Blanchard et al. 2017, section 5)
};

// Trains honestly, and then changes the outputs. Equal tasks give equal outputs.
[[nodiscard]] std::shared_ptr<learning::Trainer> make_lying(Lie lie,
                                                            std::shared_ptr<learning::Trainer> honest);

}  // namespace hansa::bench
