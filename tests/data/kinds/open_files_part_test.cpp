#include <gmock/gmock.h>

#include "learning/data/kinds/open_files.h"
#include "tests/data/data_files.h"

namespace hansa::learning::kinds {
namespace {

TEST(OpenFiles, APartIsReadFromTheFileOrFromMemory) {
  const TemporaryFolder folder;
  testing::write_text(folder / "a", "abcdefgh");
  for (const std::size_t descriptors : {1U, 0U}) {
    OpenFiles files(descriptors);
    ASSERT_TRUE(files.add(folder / "a", 100));
    const auto part = [&](std::uint64_t offset, std::size_t bytes) {
      std::string out(bytes, '?');
      const auto n = files.read_part(0, offset, std::as_writable_bytes(std::span(out)), folder / "a");
      return out.substr(0, n.value());
    };
    EXPECT_EQ(part(2, 3), "cde") << descriptors;
    EXPECT_EQ(part(6, 10), "gh") << descriptors;
    EXPECT_EQ(part(8, 10), "") << descriptors;
    EXPECT_EQ(part(1'000, 10), "") << descriptors;
  }
}

}  // namespace
}  // namespace hansa::learning::kinds
