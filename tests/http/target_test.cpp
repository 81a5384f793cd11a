#include "server/http/internal/target.h"

#include <gtest/gtest.h>

namespace hansa::http::internal {
namespace {

TEST(Target, PathAndQueryAreDecoded) {
  const auto target = parse_target("/api/v1/runs/a%20b/rounds?after=7&text=a+b%26c&flag");
  ASSERT_TRUE(target);
  EXPECT_EQ(target->path, "/api/v1/runs/a b/rounds");
  EXPECT_EQ(target->query,
            (std::map<std::string, std::string>{{"after", "7"}, {"flag", ""}, {"text", "a b&c"}}));
}

TEST(Target, TheRootAndASlashAtTheEndStay) {
  EXPECT_EQ(parse_target("/")->path, "/");
  EXPECT_EQ(parse_target("/api/")->path, "/api/");
  EXPECT_EQ(parse_target("/a+b")->path, "/a+b");
  EXPECT_EQ(parse_target("/%c3%a9")->path, "/\xc3\xa9");
}

class RefusedTarget : public testing::TestWithParam<std::string> {};

TEST_P(RefusedTarget, HasNoMeaning) { EXPECT_FALSE(parse_target(GetParam())) << GetParam(); }

INSTANTIATE_TEST_SUITE_P(All, RefusedTarget,
                         testing::Values("", "runs", "*", "http://127.0.0.1/", "//etc/passwd", "/a//b", "/..",
                                         "/../etc/passwd", "/a/../../b", "/a/.", "/./a", "/%2e%2e/a",
                                         "/%2E./a", "/a%2fb", "/a%2Fb", "/a%5cb", "/a\\b", "/a%00",
                                         "/a%0d%0ab", "/a%7f", "/a%", "/a%2", "/a%zz", "/a b", "/a#b",
                                         "/a\x80", "/%ff", "/%c0%af", "/?a=1&a=2", "/?=1", "/?a=%00",
                                         "/?a=%0a", "/?a=%ff"));

TEST(Target, ParametersAreBounded) {
  std::string raw = "/?p0=1";
  for (std::size_t i = 1; i < query_parameters_max; ++i) raw += "&p" + std::to_string(i) + "=1";
  EXPECT_TRUE(parse_target(raw));
  EXPECT_FALSE(parse_target(raw + "&more=1"));
}

}  // namespace
}  // namespace hansa::http::internal
