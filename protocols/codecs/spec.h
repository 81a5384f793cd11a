// How the values of a part of a vector are encoded: a codec and its parameters, and its text in configurations.
//
// | text | codec | bytes a value | decoded value |
// | --- | --- | --- | --- |
// | f32 | as it is | 4 | exact |
// | f16, bf16 | IEEE binary16, bfloat16, to nearest | 2 | off by at most 2^-11, 2^-8 of the value; a float16 below 2^-14 by 2^-25 |
// | q1 .. q8 | block-wise stochastic uniform quantisation (QSGD: Alistarh et al. 2017), 512 values a scale | B/8 | unbiased;
//   variance at most (m / (2^B - 1))^2 with m the largest magnitude of the block |
// | q1-rotated .. q8-rotated | randomised Hadamard transform of 4,096 values, nearest level, unbiased scale (DRIVE:
//   Vargaftik et al. 2021; EDEN: 2022) | B/8 | squared error of a block over its squared length about 0.57, 0.135, 0.039, 0.012
//   for 1 to 4 bits, whatever the values; the mean over rotations is off by 0.015, 0.008, 0.003 of the length for 1, 2, 4 bits |
// | topk(F, qB) | the share F of largest magnitudes (Strom 2015; Stich et al. 2018), their places as Rice-coded gaps | about
//   F (B + log2(1/F) + 1.5) / 8 | biased; error feedback |
// | randk(F, qB) | a share F of places that the cohort's seed picks (Konecny et al. 2016), times 1/F | F B/8 | unbiased; variance
//   (1/F - 1) v^2 and that of qB on v/F |
// | sign | the sign times the mean magnitude of 4,096 values (Karimireddy et al. 2019) | 1/8 | biased; error feedback |
// | lowrank(R) | a matrix as P Q^T by one power iteration (PowerSGD: Vogels et al. 2019) | 2 R (rows + columns) / values | biased;
//   error feedback, and Q as the next start |
//
// Error feedback (Seide et al. 2014): what encoding lost is added to the next update that this client has. Its state is
// one float32 a value, and R a column for lowrank.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa::codecs {

enum class Kind : std::uint8_t { f32, f16, bf16, quantised, rotated, topk, randk, sign, lowrank };

struct Spec {
  Kind kind = Kind::f32;
  std::uint8_t bits = 0;  // of quantised, rotated, topk, randk: 1 to 8
  double fraction = 0;  // of topk and randk: above 0, to 1
  std::uint32_t rank = 0;  // of lowrank: 1 to rank_max
  friend bool operator==(const Spec&, const Spec&) = default;
};
inline constexpr std::uint32_t rank_max = 1'024;

// location names the source in errors.
[[nodiscard]] Result<Spec> parse_spec(std::string_view text, std::string_view location);
[[nodiscard]] std::string text_of(const Spec& spec);
// Fails (usage) on a parameter out of its range.
[[nodiscard]] Result<void> check(const Spec& spec);
// Whether a client keeps what encoding lost.
[[nodiscard]] bool has_error_feedback(const Spec& spec);

}  // namespace hansa::codecs
