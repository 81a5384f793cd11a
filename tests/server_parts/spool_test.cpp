#include "server/aggregation/spool.h"

#include <algorithm>
#include <fstream>
#include <limits>
#include <string>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/random.h"
#include "tests/server_parts/small_disk.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

std::vector<float> random_values(std::size_t count, std::uint64_t seed) {
  Random random(seed);
  std::vector<float> values(count);
  for (float& value : values) value = static_cast<float>(random.uniform());
  return values;
}

Result<void> append_in_parts(Spool& spool, std::span<const std::byte> bytes, std::size_t part) {
  while (!bytes.empty()) {
    const auto now = bytes.first(std::min(part, bytes.size()));
    HANSA_TRY_VOID(spool.append(now));
    bytes = bytes.subspan(now.size());
  }
  return {};
}

std::vector<float> read_back(const Spool& spool) {
  std::vector<float> out;
  const auto read = spool.visit([&](std::span<const float> values, std::size_t first) -> Result<void> {
    EXPECT_EQ(first, out.size());
    out.insert(out.end(), values.begin(), values.end());
    return {};
  });
  EXPECT_TRUE(read);
  return out;
}

std::uint64_t resident_bytes() {
  std::ifstream file("/proc/self/statm");
  std::uint64_t total = 0, resident = 0;
  file >> total >> resident;
  return resident * static_cast<std::uint64_t>(::sysconf(_SC_PAGESIZE));
}

TEST(Spool, ReturnsTheReceivedBytesFromMemoryAndFromFiles) {
  const TemporaryFolder folder;
  for (const std::uint64_t budget : {0ULL, 1ULL << 30}) {
    SpoolPool pool(folder.path() / "spool", budget);
    for (const std::size_t count : {1UL, 3UL, 1023UL, 262'143UL, 262'144UL, 262'145UL, 700'001UL}) {
      for (const std::size_t part :
           {std::size_t{7}, std::size_t{65'536}, std::numeric_limits<std::size_t>::max()}) {
        if (part == 7 && count > 2000) continue;
        const auto values = random_values(count, count + part);
        auto spool = Spool::create(pool, count * sizeof(float));
        ASSERT_TRUE(spool) << spool.error().text();
        EXPECT_EQ(spool->in_memory(), budget != 0);
        ASSERT_TRUE(append_in_parts(*spool, std::as_bytes(std::span(values)), part));
        EXPECT_TRUE(spool->complete());
        EXPECT_EQ(spool->checksum(), checksum(std::span<const float>(values)));
        ASSERT_EQ(read_back(*spool), values);
        ASSERT_EQ(read_back(*spool), values);  // read twice: check, then add
      }
    }
  }
}

TEST(Spool, ReceivedIsTheNextOffset) {
  const TemporaryFolder folder;
  SpoolPool pool(folder.path(), 1 << 20);
  auto spool = Spool::create(pool, 12);
  ASSERT_TRUE(spool);
  const std::vector<std::byte> bytes(5);
  ASSERT_TRUE(spool->append(bytes));
  EXPECT_EQ(spool->received(), 5U);
  EXPECT_EQ(spool->size(), 12U);
  EXPECT_FALSE(spool->complete());
  ASSERT_TRUE(spool->append({}));
  EXPECT_EQ(spool->received(), 5U);
}

TEST(Spool, AnEmptyUpdateIsCompleteAtOnce) {
  const TemporaryFolder folder;
  SpoolPool pool(folder.path(), 0);
  auto spool = Spool::create(pool, 0);
  ASSERT_TRUE(spool);
  EXPECT_TRUE(spool->complete());
  EXPECT_EQ(spool->checksum(), checksum(std::span<const std::byte>()));
  EXPECT_TRUE(read_back(*spool).empty());
}

TEST(Spool, OddSizesAreBytesAndNotFloats) {
  const TemporaryFolder folder;
  for (const std::uint64_t memory : {std::uint64_t{1} << 20, std::uint64_t{0}}) {
    SpoolPool pool(folder.path(), memory);
    for (const std::size_t size : {1U, 2U, 3U, 5U, 4095U}) {
      auto spool = Spool::create(pool, size);
      ASSERT_TRUE(spool);
      const std::vector<std::byte> bytes(size, std::byte{0x5a});
      ASSERT_TRUE(spool->append(bytes));
      std::vector<std::byte> back;
      ASSERT_TRUE(
          spool->visit_bytes([&](std::span<const std::byte> block, std::uint64_t offset) -> Result<void> {
            EXPECT_EQ(offset, back.size());
            back.insert(back.end(), block.begin(), block.end());
            return {};
          }));
      EXPECT_EQ(back, bytes);
      const auto refused = spool->visit([](auto, auto) -> Result<void> { return {}; });
      ASSERT_FALSE(refused);
      EXPECT_EQ(refused.error().code, ErrorCode::protocol);
    }
  }
}

TEST(Spool, MemoryHoldsToItsBudgetAndIsReused) {
  const TemporaryFolder folder;
  SpoolPool pool(folder.path(), 1000);
  {
    auto first = Spool::create(pool, 600);
    auto second = Spool::create(pool, 600);
    auto third = Spool::create(pool, 400);
    ASSERT_TRUE(first && second && third);
    EXPECT_TRUE(first->in_memory());
    EXPECT_FALSE(second->in_memory());
    EXPECT_TRUE(third->in_memory());
    EXPECT_EQ(pool.memory_bytes_held(), 1000U);
  }
  EXPECT_EQ(pool.memory_bytes_held(), 1000U);  // idle
  auto small = Spool::create(pool, 300);  // uses the smaller idle buffer
  auto middle = Spool::create(pool, 600);
  ASSERT_TRUE(small && middle);
  EXPECT_TRUE(small->in_memory() && middle->in_memory());
  EXPECT_EQ(pool.memory_bytes_held(), 1000U);
  { const Spool gone = std::move(*small), gone_too = std::move(*middle); }
  auto large = Spool::create(pool, 1000);  // the idle buffers are freed for it
  ASSERT_TRUE(large);
  EXPECT_TRUE(large->in_memory());
  EXPECT_EQ(pool.memory_bytes_held(), 1000U);
}

TEST(Spool, FiftyLargeUpdatesDoNotGrowTheProcess) {
  const TemporaryFolder folder;
  constexpr std::size_t update_bytes = 40'000'000;
  SpoolPool pool(folder.path(), 32 << 20);
  const std::vector<std::byte> chunk(1'000'000, std::byte{1});
  std::vector<Spool> spools;
  const std::uint64_t before = resident_bytes();
  for (int i = 0; i < 50; ++i) {
    auto spool = Spool::create(pool, update_bytes);
    ASSERT_TRUE(spool) << spool.error().text();
    // Most uploads are still in progress when the others are complete.
    const std::size_t chunks = i % 5 == 0 ? update_bytes / chunk.size() : 1;
    for (std::size_t c = 0; c < chunks; ++c) ASSERT_TRUE(spool->append(chunk));
    spools.push_back(std::move(*spool));
  }
  std::size_t values = 0;
  ASSERT_TRUE(spools[0].visit([&](std::span<const float> block, std::size_t) -> Result<void> {
    values += block.size();
    return {};
  }));
  EXPECT_EQ(values, update_bytes / sizeof(float));
  EXPECT_LT(resident_bytes(), before + (40ULL << 20));
}

TEST(Spool, ACrashLeavesNoFileBecauseThereIsNoName) {
  const TemporaryFolder folder;
  SpoolPool pool(folder.path(), 0);
  auto spool = Spool::create(pool, 4096);
  ASSERT_TRUE(spool);
  ASSERT_TRUE(spool->append(std::vector<std::byte>(4096)));
  EXPECT_TRUE(std::filesystem::is_empty(folder.path()));
}

TEST(Spool, TruncatedFileIsRefused) {
  const TemporaryFolder folder;
  SpoolPool pool(folder.path(), 0);
  auto spool = Spool::create(pool, 1 << 20);
  ASSERT_TRUE(spool);
  ASSERT_TRUE(spool->append(std::vector<std::byte>(1 << 20)));
  bool truncated = false;
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code ignored;
    const auto target = std::filesystem::read_symlink(entry.path(), ignored).string();
    if (!target.starts_with(folder.path().string())) continue;
    truncated = ::truncate(entry.path().c_str(), 1000) == 0;
  }
  ASSERT_TRUE(truncated);
  const auto read = spool->visit([](std::span<const float>, std::size_t) -> Result<void> { return {}; });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().code, ErrorCode::storage);
}

TEST(Spool, VisitStopsAtTheVisitorsError) {
  const TemporaryFolder folder;
  SpoolPool pool(folder.path(), 0);
  auto spool = Spool::create(pool, 3 << 20);
  ASSERT_TRUE(spool);
  ASSERT_TRUE(spool->append(std::vector<std::byte>(3 << 20)));
  int calls = 0;
  const auto read = spool->visit([&](std::span<const float>, std::size_t) -> Result<void> {
    return ++calls == 2 ? fail(ErrorCode::protocol, "", "bad") : Result<void>{};
  });
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().what, "bad");
  EXPECT_EQ(calls, 2);
}

TEST(Spool, AFullDiskIsReportedBeforeTheUpload) {
  const SmallDisk disk("1m");
  if (!disk.mounted()) GTEST_SKIP() << "this user may not mount a small file system";
  SpoolPool pool(disk.path() / "spool", 0);
  {
    const auto refused = Spool::create(pool, 4 << 20);
    ASSERT_FALSE(refused);
    EXPECT_EQ(refused.error().code, ErrorCode::storage);
    EXPECT_NE(refused.error().hint, "");
  }
  auto small = Spool::create(pool, 512 << 10);
  ASSERT_TRUE(small) << small.error().text();
  EXPECT_TRUE(small->append(std::vector<std::byte>(512 << 10)));
}

TEST(Spool, AFolderThatCannotBeCreatedIsNamed) {
  SpoolPool pool("/proc/no-such-place", 0);
  const auto refused = Spool::create(pool, 4);
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::storage);
  EXPECT_NE(refused.error().location.find("/proc/no-such-place"), std::string::npos);
}

}  // namespace
}  // namespace hansa::server
