// A federation.toml in a temporary folder, for tests of its reader.
#pragma once
#include <filesystem>
#include <string>

#include <gtest/gtest.h>

#include "common/files.h"
#include "server/config/federation_config.h"
#include "tests/temporary_folder.h"

namespace hansa::server {

// What every file must have.
inline constexpr const char* minimal =
    "[federation]\nname = \"f\"\n[aggregator]\nkey = \"a.key\"\nadmitted = \"admitted\"\n[model]\narchive = "
    "\"m.pt\"\n";

class FederationFile : public ::testing::Test {
 protected:
  Result<FederationConfig> read(const std::string& text) {
    EXPECT_TRUE(write_file_atomically(file(), text));
    return read_federation_config(file());
  }
  [[nodiscard]] std::filesystem::path file() const { return folder_.path() / "federation.toml"; }
  TemporaryFolder folder_;
};

}  // namespace hansa::server
