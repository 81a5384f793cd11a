#include <cstring>
#include <filesystem>
#include <fstream>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "protocols/transport/internal/key_access.h"
#include "protocols/transport/keys.h"
#include "tests/temporary_folder.h"
#include "tests/transport/support.h"

namespace hansa::transport {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

void write(const std::string& path, std::string_view content, mode_t mode) {
  std::ofstream(path) << content;
  ASSERT_EQ(::chmod(path.c_str(), mode), 0);
}

TEST(Keys, ASecretKeyIsStoredInAFileThatOnlyTheOwnerCanRead) {
  const TemporaryFolder folder;
  const std::string path = (folder / "device.key").string();
  const SecretKey key = testing::new_key();
  ASSERT_TRUE(write_secret_key(key, path));
  struct stat status {};
  ASSERT_EQ(::stat(path.c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777u, 0600u);
  const Result<SecretKey> read = read_secret_key(path);
  ASSERT_TRUE(read) << read.error().text();
  EXPECT_EQ(read->public_key().value(), key.public_key().value());
}

TEST(Keys, ASecretKeyFileThatOthersCanReadIsRefusedWithAHint) {
  const TemporaryFolder folder;
  const std::string path = (folder / "device.key").string();
  ASSERT_TRUE(write_secret_key(testing::new_key(), path));
  for (const mode_t mode : {0644u, 0640u, 0604u, 0620u}) {
    ASSERT_EQ(::chmod(path.c_str(), mode), 0);
    const Result<SecretKey> read = read_secret_key(path);
    ASSERT_FALSE(read) << std::oct << mode;
    EXPECT_EQ(read.error().code, ErrorCode::usage);
    EXPECT_EQ(read.error().hint, "chmod 600 " + path);
  }
}

TEST(Keys, DamagedSecretKeyFilesAreRefusedWithoutShowingThem) {
  const TemporaryFolder folder;
  const std::string path = (folder / "device.key").string();
  const std::string good = testing::new_key().z85();
  for (const std::string& content : {std::string(), good.substr(0, 39), good + "x", good.substr(0, 39) + "~",
                                     std::string(40, '#'), good + "\n" + good, std::string(5000, 'a')}) {
    write(path, content, 0600);
    const Result<SecretKey> read = read_secret_key(path);
    ASSERT_FALSE(read) << content;
    EXPECT_EQ(read.error().code, ErrorCode::usage);
    EXPECT_THAT(read.error().text(), Not(HasSubstr(good.substr(0, 8))));
    EXPECT_THAT(read.error().text(), Not(HasSubstr("~")));
  }
}

TEST(Keys, AMissingSecretKeyFileOrAFolderInItsPlaceIsRefused) {
  const TemporaryFolder temporary;
  const std::string folder = temporary.path().string();
  const Result<SecretKey> missing = read_secret_key(folder + "/none.key");
  ASSERT_FALSE(missing);
  EXPECT_EQ(missing.error().code, ErrorCode::storage);
  EXPECT_FALSE(read_secret_key(folder));
}

TEST(Keys, APublicKeyIsReadBackFromAFile) {
  const TemporaryFolder folder;
  const std::string path = (folder / "device.pub").string();
  const PublicKey key = testing::new_key().public_key().value();
  ASSERT_TRUE(write_public_key(key, path));
  EXPECT_EQ(read_public_key(path).value(), key);
  write(path, "# ward 3, second floor\r\n\n  " + key.text() + "  \r\n", 0644);
  EXPECT_EQ(read_public_key(path).value(), key);
}

TEST(Keys, APublicKeyFileWithoutOrWithTwoKeysIsRefusedNamingTheLine) {
  const TemporaryFolder folder;
  const std::string path = (folder / "device.pub").string();
  write(path, "# only a comment\n", 0644);
  EXPECT_THAT(read_public_key(path).error().text(), HasSubstr("contains no key"));
  const std::string key = testing::new_key().public_key().value().text();
  write(path, "# two\n" + key + "\n" + key + "\n", 0644);
  EXPECT_THAT(read_public_key(path).error().text(), HasSubstr(path + ":3: contains a second key"));
  write(path, "# short\n\n" + std::string(39, 'a') + "\n", 0644);
  EXPECT_THAT(read_public_key(path).error().text(), HasSubstr(path + ":3: has 39 characters, needs 40"));
}

TEST(Keys, AMalformedPublicKeyIsReportedWithLocationAndHint) {
  const std::string location = "client.toml:14: aggregator.public_key";
  const std::string good = testing::new_key().public_key().value().text();
  EXPECT_EQ(parse_public_key(good, location).value().text(), good);
  EXPECT_EQ(parse_public_key(good.substr(1), location).error().text(),
            "client.toml:14: aggregator.public_key: has 39 characters, needs 40; print it with \"hansa keys "
            "show FILE\"");
  std::string odd = good;
  odd[3] = '~';
  EXPECT_THAT(parse_public_key(odd, location).error().text(), HasSubstr("has '~' as character 4"));
  odd[3] = '\xff';
  EXPECT_THAT(parse_public_key(odd, location).error().text(), HasSubstr("has 0xff as character 4"));
  EXPECT_FALSE(parse_public_key(std::string(40, '#'), location));  // more than 32 bits in five characters
}

TEST(Keys, MovedSecretKeyIsWiped) {
  SecretKey key = testing::new_key();
  const PublicKey expected = key.public_key().value();
  const SecretKey moved = std::move(key);
  EXPECT_EQ(moved.public_key().value(), expected);
  EXPECT_EQ(std::strlen(key.z85()), 0u);  // NOLINT: reads the moved-from object on purpose
  EXPECT_FALSE(key.public_key());
}

// A secret that Kubernetes mounts for fsGroup belongs to root and has mode 0440.
TEST(Keys, ASecretThatIsMountedForAGroupIsRead) {
  using internal::is_private;
  EXPECT_TRUE(is_private(0600, 1000, 1000));
  EXPECT_TRUE(is_private(0400, 0, 1000));
  EXPECT_TRUE(is_private(0440, 0, 1000));
  EXPECT_FALSE(is_private(0440, 1000, 1000)) << "its owner can change that";
  EXPECT_FALSE(is_private(0460, 0, 1000));
  EXPECT_FALSE(is_private(0444, 0, 1000));
  EXPECT_FALSE(is_private(0604, 0, 1000));
}

}  // namespace
}  // namespace hansa::transport
