// The open join tokens: listed and withdrawn.
#include "tools/token_list.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::tools {
namespace {

using namespace server::testing;
using ::testing::HasSubstr;

class TokenList : public ::testing::Test {
 protected:
  enrolment::JoinToken add(const std::string& label, std::uint32_t uses) {
    auto token = make_token();
    token.aggregator = Keys().key;
    EXPECT_TRUE(devices.add_token(record_of(token, label, uses), by_operator));
    return token;
  }
  TemporaryFolder folder;
  server::DeviceRegister devices = server::DeviceRegister::open(folder / "devices.sqlite").value();
};

TEST_F(TokenList, HasTheTokensThatStillHold) {
  const auto pump = add("pump", 20);
  const auto used = add("used", 1);
  const Keys one, two;
  ASSERT_TRUE(devices.enrol({used.id, one.key, one.identity, ""}, {}, by_operator));
  ASSERT_TRUE(devices.enrol({pump.id, two.key, two.identity, ""}, {}, by_operator));
  const auto tokens = open_tokens(devices, today).value();
  ASSERT_EQ(tokens.size(), 1U);
  const std::string table = token_table(tokens);
  EXPECT_THAT(table, HasSubstr(text_of(pump.id)));
  EXPECT_THAT(table, HasSubstr("19 of 20"));
  EXPECT_LE(table.find('\n'), 80U);
  const auto json = json_of(tokens);
  EXPECT_EQ(json[0].at("label"), "pump");
  EXPECT_EQ(json[0].at("uses_left"), 19);
  EXPECT_TRUE(open_tokens(devices, {today.value + 24 * hour}).value().empty()) << "expired";
}

TEST_F(TokenList, AWithdrawnTokenEnrolsNobodyAndIsInTheAuditLog) {
  const auto token = add("LINE-7", 1);
  const std::string id = text_of(token.id);
  EXPECT_EQ(withdraw_token(devices, id, by_operator).value(), token.id);
  EXPECT_TRUE(open_tokens(devices, today).value().empty());
  const Keys keys;
  EXPECT_FALSE(devices.enrol({token.id, keys.key, keys.identity, ""}, {}, by_operator));
  const auto last = devices.audit().value().back();
  EXPECT_EQ(last.act, "token.withdrawn");
  EXPECT_EQ(last.subject, id);
  const auto again = withdraw_token(devices, id, by_operator);
  ASSERT_FALSE(again);
  EXPECT_EQ(again.error().code, ErrorCode::usage);
}

TEST_F(TokenList, ATokenIsNamedByItsFirstDigitsOrByItself) {
  const auto first = add("a", 1), second = add("b", 1);
  EXPECT_EQ(withdraw_token(devices, enrolment::text_of(first).value(), by_operator).value(), first.id);
  EXPECT_EQ(withdraw_token(devices, text_of(second.id).substr(0, 12), by_operator).value(), second.id);
}

TEST_F(TokenList, WhatNamesNoTokenOrSeveralIsRefused) {
  // Two tokens whose identifiers begin alike.
  for (const std::uint8_t last : {std::uint8_t{1}, std::uint8_t{2}}) {
    auto record = record_of(make_token(), "a", 1);
    record.id = {0xab, 0xcd, 0, 0, 0, 0, 0, last};
    ASSERT_TRUE(devices.add_token(record, by_operator));
  }
  EXPECT_THAT(withdraw_token(devices, "abcd", by_operator).error().text(), HasSubstr("several"));
  for (const char* text : {"", "abc", "xyz1", "0123", "abcd000000000003", "abcd00000000000100", "HANSA1AAAA"})
    EXPECT_EQ(withdraw_token(devices, text, by_operator).error().code, ErrorCode::usage) << text;
  EXPECT_EQ(open_tokens(devices, today).value().size(), 2U);
}

}  // namespace
}  // namespace hansa::tools
