// A run folder of its own for each test.
#pragma once
#include <filesystem>
#include <fstream>
#include <iterator>
#include <memory>
#include <string>

#include <gtest/gtest.h>

#include "server/store/run_folder.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {

class RunFolderTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunFolder> open() {
    auto opened = RunFolder::open(path_);
    EXPECT_TRUE(opened) << opened.error().text();
    return opened ? std::move(*opened) : nullptr;
  }
  // Creates a folder with this many committed rounds, and closes it.
  void fill(std::uint32_t rounds) {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    for (std::uint32_t round = 1; round <= rounds; ++round) ASSERT_TRUE(commit(*store, round));
  }
  TemporaryFolder folder_;
  std::filesystem::path path_ = folder_.path() / "runs" / "first";
};

}  // namespace hansa::server
