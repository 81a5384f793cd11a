#include "server/aggregation/kept_updates.h"

#include <algorithm>
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

constexpr std::size_t elements = 10'000;
constexpr std::uint64_t row_bytes = elements * sizeof(float);

void keep(KeptUpdates& updates, const std::string& client, float value) {
  auto room = updates.room();
  ASSERT_TRUE(room) << room.error().text();
  std::ranges::fill(*room, value);
  updates.add(client, 5);
}

TEST(KeptUpdates, WhatDoesNotFitIntoMemoryIsInFilesThatNobodySees) {
  const TemporaryFolder folder;
  KeptUpdates updates(elements, folder.path() / "scratch", 2 * row_bytes);
  for (int i = 0; i < 5; ++i) keep(updates, "client-" + std::to_string(9 - i), static_cast<float>(i));
  EXPECT_EQ(updates.memory_bytes(), 2 * row_bytes);
  EXPECT_TRUE(std::filesystem::is_empty(folder.path() / "scratch"));
  const auto sorted = updates.sorted();
  ASSERT_EQ(sorted.size(), 5U);
  for (int i = 0; i < 5; ++i) {
    EXPECT_EQ(sorted[static_cast<std::size_t>(i)].client, "client-" + std::to_string(5 + i));
    for (const float value : sorted[static_cast<std::size_t>(i)].values)
      ASSERT_EQ(value, static_cast<float>(4 - i));
  }
}

TEST(KeptUpdates, KeepTheirMemoryFromRoundToRound) {
  const TemporaryFolder folder;
  KeptUpdates updates(elements, folder.path(), 10 * row_bytes);
  const float* first = nullptr;
  for (int round = 0; round < 3; ++round) {
    updates.clear();
    EXPECT_EQ(updates.count(), 0U);
    keep(updates, "a", 1);
    keep(updates, "b", 2);
    if (round == 0) first = updates.sorted()[0].values.data();
    EXPECT_EQ(updates.sorted()[0].values.data(), first);
    EXPECT_EQ(updates.memory_bytes(), 2 * row_bytes);
  }
}

TEST(KeptUpdates, ARoomThatIsNotAddedIsNoUpdate) {
  const TemporaryFolder folder;
  KeptUpdates updates(elements, folder.path(), 10 * row_bytes);
  keep(updates, "a", 1);
  ASSERT_TRUE(updates.room());
  EXPECT_EQ(updates.count(), 1U);
  keep(updates, "b", 2);
  EXPECT_EQ(updates.sorted()[1].values[0], 2.0F);
}

TEST(KeptUpdates, AFolderThatCannotBeWrittenIsAnError) {
  KeptUpdates updates(elements, "/proc/none", 0);
  const auto room = updates.room();
  ASSERT_FALSE(room);
  EXPECT_EQ(room.error().code, ErrorCode::storage);
}

}  // namespace
}  // namespace hansa::server
