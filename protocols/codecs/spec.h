// A spec says how the values of a part of a vector are encoded: a codec and its parameters. It has a text form for
// configuration files.
//
// | text | codec | bytes per value | decoded value |
// | --- | --- | --- | --- |
// | f32 | the float32 value | 4 | exact |
// | f16, bf16 | IEEE binary16, bfloat16, rounded to nearest | 2 | relative error at most 2^-11, 2^-8; absolute error at
//   most 2^-25 for a float16 below 2^-14 |
// | q1 .. q8 | block-wise stochastic uniform quantisation (QSGD: Alistarh et al. 2017), one scale per 512 values | B/8
//   | unbiased; variance at most (m / (2^B - 1))^2, where m is the largest magnitude of the 512 values |
// | q1-rotated .. q8-rotated | randomised Hadamard transform of 4,096 values, nearest level, unbiased scale (DRIVE:
//   Vargaftik et al. 2021; EDEN: 2022) | B/8 | squared error of a block divided by its squared norm: about 0.57, 0.135,
//   0.039, 0.012 for 1 to 4 bits, whatever the values; bias of the mean over rotations: 0.015, 0.008, 0.003 of the norm
//   for 1, 2, 4 bits |
// | topk(F, qB) | the fraction F with the largest magnitudes (Strom 2015; Stich et al. 2018), indices as Rice-coded
//   gaps | about F (B + log2(1/F) + 1.5) / 8 | biased; error feedback |
// | randk(F, qB) | a fraction F at coordinates sampled with the cohort's seed (Konecny et al. 2016), times 1/F | F B/8
//   | unbiased; variance (1/F - 1) v^2 plus that of qB on v/F |
// | sign | the sign times the mean magnitude of 4,096 values (Karimireddy et al. 2019) | 1/8 | biased; error feedback |
// | lowrank(R) | a matrix as P Q^T by one power iteration (PowerSGD: Vogels et al. 2019) | 2 R (rows + columns) /
//   values | biased; error feedback; Q is the start of the next iteration |
//
// Error feedback (Seide et al. 2014): the client adds the error of encoding an update to its next update. Its state is
// one float32 per value; lowrank adds R per column.
#pragma once
#include <cstdint>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa::codecs {

enum class Kind : std::uint8_t { f32, f16, bf16, quantised, rotated, topk, randk, sign, lowrank };
inline constexpr Kind last_kind = Kind::lowrank;  // the numbers 0 to this one are on the wire

struct Spec {
  Kind kind = Kind::f32;
  std::uint8_t bits = 0;  // for quantised, rotated, topk and randk: 1 to 8
  double fraction = 0;  // for topk and randk: above 0, at most 1
  std::uint32_t rank = 0;  // for lowrank: 1 to rank_max
  friend bool operator==(const Spec&, const Spec&) = default;
};
inline constexpr std::uint32_t rank_max = 1'024;

// The location is that of the error.
[[nodiscard]] Result<Spec> parse_spec(std::string_view text, std::string_view location);
[[nodiscard]] std::string text_of(const Spec& spec);
// Fails with `usage` if a parameter is out of its range.
[[nodiscard]] Result<void> check(const Spec& spec);
// Whether the client keeps the error of encoding for its next update.
[[nodiscard]] bool has_error_feedback(const Spec& spec);

}  // namespace hansa::codecs
