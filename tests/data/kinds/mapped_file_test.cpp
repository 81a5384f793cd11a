// Files that are mapped into memory, and what becomes of them while they are used.
#include <csignal>
#include <thread>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <sys/mman.h>

#include "learning/data/kinds/arrays/mapped_file.h"
#include "tests/data/data_files.h"

namespace hansa::learning::kinds {
namespace {

using ::testing::HasSubstr;

constexpr std::size_t bytes = std::size_t{3} << 20U;

class Mapped : public ::testing::Test {
 protected:
  Mapped() { testing::write_bytes(path_, std::vector<std::uint8_t>(bytes, 7)); }
  std::shared_ptr<const MappedFile> open() { return MappedFile::open(path_, "hint").value(); }

  testing::TemporaryFolder folder_;
  std::filesystem::path path_ = folder_ / "a";
};

TEST_F(Mapped, BytesThatWereTruncatedAreReadAsZerosAndReported) {
  const auto file = open();
  const auto other = open();
  ASSERT_TRUE(file->check());
  std::filesystem::resize_file(path_, 100);
  EXPECT_EQ(file->bytes()[99], std::byte{7});
  EXPECT_EQ(file->bytes()[bytes - 1], std::byte{0});
  EXPECT_EQ(file->bytes()[bytes / 2], std::byte{0});
  // The file has its size again, but the values that were read are not its own.
  std::filesystem::resize_file(path_, bytes);
  const auto checked = file->check();
  ASSERT_FALSE(checked);
  EXPECT_THAT(checked.error().text(),
              HasSubstr("a: has become shorter since it was opened; replace a data file"));
  EXPECT_TRUE(other->check()) << "nothing was read there meanwhile";
}

TEST_F(Mapped, AFileThatIsShorterIsNoticedBeforeItIsRead) {
  const auto file = open();
  std::filesystem::resize_file(path_, bytes - 1);
  EXPECT_FALSE(file->check());
}

TEST_F(Mapped, ThreadsMayReadWhileItIsTruncated) {
  const auto file = open();
  std::vector<std::jthread> threads;
  for (int t = 0; t < 4; ++t)
    threads.emplace_back([&file](const std::stop_token& stop) {
      unsigned sum = 0;
      for (bool last = false; !last;) {
        last = stop.stop_requested();
        for (const std::byte byte : file->bytes()) sum += std::to_integer<unsigned>(byte);
      }
      EXPECT_GT(sum, 0U);
    });
  std::filesystem::resize_file(path_, 4096);
  for (std::jthread& thread : threads) thread.request_stop();
  threads.clear();
  EXPECT_FALSE(file->check());
}

TEST_F(Mapped, AGuardIsFreeAgainAfterItsMapping) {
  for (std::size_t i = 0; i < 2 * MappingGuard::guards_max; ++i) std::ignore = open();
  const auto file = open();
  std::filesystem::resize_file(path_, 0);
  EXPECT_EQ(file->bytes()[0], std::byte{0});
}

// Only mapped data files are guarded.
using MappedDeathTest = Mapped;
TEST_F(MappedDeathTest, AnotherBusErrorEndsTheProcessAsWithoutGuard) {
  const auto guarded = open();
  const int descriptor = ::open(path_.c_str(), O_RDONLY | O_CLOEXEC);
  const auto* memory =
      static_cast<const volatile char*>(::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, descriptor, 0));
  ::close(descriptor);
  std::filesystem::resize_file(path_, 0);
  EXPECT_DEATH({ (void)memory[bytes - 1]; }, "");
  ::munmap(const_cast<char*>(memory), bytes);
}

}  // namespace
}  // namespace hansa::learning::kinds
