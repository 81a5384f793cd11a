// A plan says which codec encodes which part of a flat vector.
//
// The aggregator makes the plan from its configuration and the model's layout, and sends it with every task. Encoder
// and decoder must agree on the plan and on the seeds, and on nothing else.
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

// Consecutive values with the same codec.
struct Segment {
  std::uint64_t values = 0;
  Spec spec;
  std::uint64_t rows = 0;  // for lowrank: the matrix's rows, which divide `values`; otherwise 0
  friend bool operator==(const Segment&, const Segment&) = default;
};
inline constexpr std::size_t segments_max = 512;

// Gives a codec to the parameters whose names match the pattern (common/name_pattern.h).
struct Rule {
  std::string match;
  Spec spec;
};
// Divides a layout into segments. The first rule that matches a parameter's name gives its codec; without a match it is
// default_spec. Buffers, such as the statistics of normalisation layers, are f32 instead: there are few of them, and a variance may be
// 1e-8 or 1e8. Parameters with fewer than two dimensions (biases, parameters of normalisation layers) are f16 instead if
// default_spec has fewer bits, because they may change a thousand times as much as a weight.
//
// Consecutive parameters with the same codec form one segment. A lowrank matrix is a segment of its own; a parameter
// that is not a matrix, or would not become smaller, is f16 instead. Fails with `usage` if there are more than
// segments_max segments.
[[nodiscard]] Result<std::vector<Segment>> segments_of(const ParameterLayout& layout,
                                                       std::span<const Rule> rules, const Spec& default_spec);

class Plan {
 public:
  // The number of values in a block, which is decoded at once by one thread.
  static constexpr std::size_t block_values = 4'096;

  Plan();  // a plan without values
  // Fails with `usage` if a spec is out of range, the rows of a lowrank segment do not divide its values, there is no
  // segment or too many, a segment has no values, or all segments together have more than 2^38.
  [[nodiscard]] static Result<Plan> create(std::vector<Segment> segments);
  ~Plan();
  Plan(Plan&&) noexcept;
  Plan& operator=(Plan&&) noexcept;

  [[nodiscard]] std::span<const Segment> segments() const { return segments_; }
  [[nodiscard]] std::uint64_t values() const { return values_; }
  // The number of float32 values that a client keeps between its updates; 0: nothing is kept.
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

// The seeds of encoding and decoding. docs/protocol.md says how both sides derive them.
struct Seeds {
  std::uint64_t update = 0;  // for rotations: different for each update
  std::uint64_t cohort = 0;  // for the coordinates of randk: the same for all updates of a round
  std::uint64_t rounding = 0;  // for stochastic rounding: used only by the encoder
};

// The magnitude_max of model deltas. limits.magnitude_max does not apply to them: they come from the aggregator.
inline constexpr float delta_magnitude_max = 1e38F;

}  // namespace hansa::codecs
