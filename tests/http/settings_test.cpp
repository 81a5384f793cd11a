// Where the server listens, and the operator's token.
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "server/http/listen_address.h"
#include "server/http/token_file.h"
#include "tests/temporary_folder.h"

namespace hansa::http {
namespace {

using testing::HasSubstr;

TEST(ListenAddress, AddressAndPortAreRead) {
  const auto v4 = parse_listen_address("127.0.0.1:7471", "here");
  ASSERT_TRUE(v4);
  EXPECT_EQ(v4->address, "127.0.0.1");
  EXPECT_EQ(v4->port, 7471);
  EXPECT_TRUE(v4->is_loopback);
  const auto v6 = parse_listen_address("[::1]:0", "here");
  ASSERT_TRUE(v6);
  EXPECT_EQ(v6->text(), "[::1]:0");
  EXPECT_TRUE(v6->is_loopback);
  for (const char* open : {"0.0.0.0:1", "[::]:1", "192.168.1.1:1", "[::ffff:10.0.0.1]:1"})
    EXPECT_FALSE(parse_listen_address(open, "here")->is_loopback) << open;
  EXPECT_TRUE(parse_listen_address("127.9.9.9:1", "here")->is_loopback);
  EXPECT_TRUE(parse_listen_address("[::ffff:127.0.0.1]:1", "here")->is_loopback);
}

TEST(ListenAddress, OtherTextsAreRefused) {
  for (const char* text :
       {"", "7471", ":7471", "localhost:7471", "127.0.0.1", "127.0.0.1:", "127.0.0.1:x", "127.0.0.1:65536",
        "127.0.0.1:-1", "::1:7471", "[127.0.0.1]:1", "tcp://127.0.0.1:1", "127.0.0.1:80 "}) {
    const auto out = parse_listen_address(text, "here");
    ASSERT_FALSE(out) << text;
    EXPECT_EQ(out.error().location, "here");
    EXPECT_THAT(out.error().hint, HasSubstr("127.0.0.1:7471"));
  }
}

TEST(TokenFile, IsMadeOnceAndForItsUserOnly) {
  const TemporaryFolder folder;
  const auto first = read_or_make_token(folder / "token"), second = read_or_make_token(folder / "token");
  ASSERT_TRUE(first && second);
  EXPECT_EQ(*first, *second);
  EXPECT_EQ(first->size(), 64U);
  using std::filesystem::perms;
  EXPECT_EQ(std::filesystem::status(folder / "token").permissions(), perms::owner_read | perms::owner_write);
  EXPECT_NE(*read_or_make_token(folder / "other"), *first);
}

TEST(TokenFile, OneThatOthersCanReadIsRefused) {
  const TemporaryFolder folder;
  ASSERT_TRUE(read_or_make_token(folder / "token"));
  std::filesystem::permissions(folder / "token", std::filesystem::perms::group_read,
                               std::filesystem::perm_options::add);
  const auto out = read_or_make_token(folder / "token");
  ASSERT_FALSE(out);
  EXPECT_THAT(out.error().hint, HasSubstr("chmod 600"));
}

TEST(TokenFile, OtherContentsAreRefused) {
  const TemporaryFolder folder;
  for (const std::string& text : {std::string(), std::string(31, 'a'), std::string(257, 'a'),
                                  std::string(32, 'a') + " b", std::string(40, '#')}) {
    ASSERT_TRUE(write_file_atomically(folder / "token", text, FileAccess::owner_only));
    EXPECT_FALSE(read_or_make_token(folder / "token")) << text;
  }
  ASSERT_TRUE(write_file_atomically(folder / "token", std::string(32, 'a') + "\n", FileAccess::owner_only));
  EXPECT_EQ(*read_or_make_token(folder / "token"), std::string(32, 'a'));
}

}  // namespace
}  // namespace hansa::http
