#include "common/kernels/copy.h"

#include "tests/kernels/every_target.h"

namespace hansa::kernels {
namespace {

TEST(CopyKernel, CopiesExactlyTheRangeForEveryOffsetAndLength) {
  std::vector<std::byte> from(1'200);
  for (std::size_t i = 0; i < from.size(); ++i) from[i] = static_cast<std::byte>(i * 37 + 1);
  with_every_target([&] {
    for (std::size_t place = 0; place < 70; ++place)
      for (const std::size_t count : {0UL, 1UL, 15UL, 63UL, 64UL, 65UL, 200UL, 1'000UL}) {
        std::vector<std::byte> to(1'200, std::byte{0xEE}), expected = to;
        const auto source = std::span(from).subspan(place % 7, count);
        std::ranges::copy(source, expected.begin() + static_cast<std::ptrdiff_t>(place));
        copy_past_caches(std::span(to).subspan(place, count), source);
        ASSERT_EQ(to, expected) << place << ", " << count;
      }
  });
}

}  // namespace
}  // namespace hansa::kernels
