// Creates the codecs. Each is implemented in the file of its name.
#pragma once
#include <memory>

#include "protocols/codecs/internal/segment_codec.h"

namespace hansa::codecs::internal {

[[nodiscard]] std::unique_ptr<SegmentCodec> make_floats(std::uint64_t values, Kind kind);
[[nodiscard]] std::unique_ptr<SegmentCodec> make_quantised(std::uint64_t values, unsigned bits);
[[nodiscard]] std::unique_ptr<SegmentCodec> make_rotated(std::uint64_t values, unsigned bits);
[[nodiscard]] std::unique_ptr<SegmentCodec> make_topk(std::uint64_t values, double fraction, unsigned bits);
[[nodiscard]] std::unique_ptr<SegmentCodec> make_randk(std::uint64_t values, double fraction, unsigned bits);
[[nodiscard]] std::unique_ptr<SegmentCodec> make_sign(std::uint64_t values);
[[nodiscard]] std::unique_ptr<SegmentCodec> make_lowrank(std::uint64_t values, std::uint64_t rows,
                                                         std::uint32_t rank);

}  // namespace hansa::codecs::internal
