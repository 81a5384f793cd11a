// Which codec encodes which part of a flat vector.
//
// A plan is made by the aggregator from its configuration and the model's layout, travels with every task, and is all that
// the two sides must agree on beside the seeds.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/parameter_layout.h"
#include "protocols/codecs/spec.h"

namespace hansa::codecs {

namespace internal {
class SegmentCodec;
}

// Neighbouring values with one codec.
struct Segment {
  std::uint64_t values = 0;
  Spec spec;
  std::uint64_t rows = 0;  // of lowrank: values is a multiple of it; else 0
  friend bool operator==(const Segment&, const Segment&) = default;
};
inline constexpr std::size_t segments_max = 512;

// A layout's parameters whose names fit the pattern (common/name_pattern.h) have this codec.
struct Rule {
  std::string match;
  Spec spec;
};
// The first rule that fits a name counts; the others have `otherwise`, but for what has fewer than two dimensions: biases, the
// parameters and statistics of normalisation layers. These are few and may change by a thousand times as much as a weight, and
// are f16 where `otherwise` has fewer bits. Neighbours of one codec are one segment; a lowrank matrix stands alone, and what is no
// matrix, or would not become smaller, is f16 instead. Fails (usage) beyond segments_max.
[[nodiscard]] Result<std::vector<Segment>> segments_of(const ParameterLayout& layout,
                                                       std::span<const Rule> rules, const Spec& otherwise);

class Plan {
 public:
  // Values of a block: what is decoded at once, and by one thread.
  static constexpr std::size_t block_values = 4'096;

  Plan();  // of no values
  // Fails (usage) on a spec out of range, a matrix that is none, no segment or too many, or more than 2^38 values.
  [[nodiscard]] static Result<Plan> create(std::vector<Segment> segments);
  ~Plan();
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;

  [[nodiscard]] std::span<const Segment> segments() const { return segments_; }
  [[nodiscard]] std::uint64_t values() const { return values_; }
  // What a client keeps from round to round, in float32 values; 0: nothing.
  [[nodiscard]] std::uint64_t state_values() const { return state_values_; }
  [[nodiscard]] std::uint64_t encoded_bytes_max() const { return encoded_bytes_max_; }
  // "q4", or "q4, f32 for 120 of 18,378 values".
  [[nodiscard]] std::string text() const;

 private:
  friend class Encoder;
  friend class Update;
  struct Part {
    std::uint64_t first_value = 0;
    std::uint64_t first_state = 0;
    std::unique_ptr<internal::SegmentCodec> codec;
  };

  std::vector<Segment> segments_;
  std::vector<Part> parts_;
  std::uint64_t values_ = 0;
  std::uint64_t state_values_ = 0;
  std::uint64_t encoded_bytes_max_ = 0;
};

// What encoding depends on beside the plan: randomness that both sides derive alike. docs/protocol.md names the sources.
struct Seeds {
  std::uint64_t update = 0;  // of rotations: another one for each update
  std::uint64_t cohort = 0;  // of randk's places: the same for all of a round
  std::uint64_t rounding = 0;  // the encoder's own
};

// Of the values of a model's step: they come from the aggregator, and no learning rate is to blame.
inline constexpr float delta_magnitude_max = 1e38F;

}  // namespace hansa::codecs
