#include "common/page_memory.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <vector>

#include <gtest/gtest.h>

namespace hansa {
namespace {

TEST(PageBuffer, IsPageAlignedZeroAndWritableToItsEnd) {
  for (const std::size_t bytes :
       {std::size_t{1}, std::size_t{4096}, huge_page_bytes - 1, huge_page_bytes, 3 * huge_page_bytes + 5}) {
    PageBuffer buffer(bytes);
    ASSERT_NE(buffer.data(), nullptr);
    EXPECT_EQ(buffer.size(), bytes);
    const auto at = reinterpret_cast<std::uintptr_t>(buffer.data());
    EXPECT_EQ(at % (bytes < huge_page_bytes ? 4096 : huge_page_bytes), 0U);
    EXPECT_TRUE(
        std::all_of(buffer.data(), buffer.data() + bytes, [](std::byte b) { return b == std::byte{0}; }));
    std::fill_n(buffer.data(), bytes, std::byte{7});
  }
}

TEST(PageBuffer, HasNoDataIfEmptyOrLargerThanTheMemory) {
  EXPECT_EQ(PageBuffer(0).data(), nullptr);
  for (const std::size_t bytes :
       {std::numeric_limits<std::size_t>::max(), std::numeric_limits<std::size_t>::max() / 2}) {
    PageBuffer buffer(bytes);
    EXPECT_EQ(buffer.data(), nullptr);
    EXPECT_EQ(buffer.size(), 0U);
  }
}

TEST(PageBuffer, IsMovedNotCopied) {
  PageBuffer first(5000);
  const std::byte* const data = first.data();
  PageBuffer second = std::move(first);
  EXPECT_EQ(second.data(), data);
  EXPECT_EQ(second.size(), 5000U);
}

TEST(PageAllocator, ServesContainersSmallAndLarge) {
  PageVector<float> values;
  for (int i = 0; i < 2'000'000; ++i) values.push_back(static_cast<float>(i));
  EXPECT_EQ(values[1'999'999], 1'999'999.0F);
  values.shrink_to_fit();
  EXPECT_EQ(reinterpret_cast<std::uintptr_t>(values.data()) % 4096, 0U);
  values.resize(10);
  values.shrink_to_fit();
  EXPECT_EQ(values[9], 9.0F);
  EXPECT_THROW(values.reserve(std::numeric_limits<std::size_t>::max() / 8), std::exception);
}

}  // namespace
}  // namespace hansa
