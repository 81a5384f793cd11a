// Findings as text and as JSON.
#include "client/check/report.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

namespace hansa::client {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

const std::vector<Finding> findings{
    passed(Check::name, "127.0.0.1 is an IP address"),
    failed(Check::tcp, ErrorCode::network, "nothing listens", "start it"),
    not_tried(Check::handshake, "not tried"),
};

TEST(CheckReport, HasALineForEachCheckAndForEachHint) {
  EXPECT_EQ(report_text(findings, Colour::none),
            "ok   name          127.0.0.1 is an IP address\n"
            "FAIL tcp           nothing listens\n"
            "                   hint: start it\n"
            "-    handshake     not tried\n");
}

TEST(CheckReport, IsColouredOnlyOnATerminal) {
  EXPECT_THAT(report_text(findings, Colour::ansi), HasSubstr("\033[31mFAIL"));
  EXPECT_THAT(report_text(findings, Colour::none), Not(HasSubstr("\033")));
}

TEST(CheckReport, EscapesWhatTheAggregatorSays) {
  const std::vector<Finding> hostile{failed(Check::federation, ErrorCode::refused, "a\033[2Jb", "")};
  EXPECT_THAT(report_text(hostile, Colour::none), Not(HasSubstr("\033")));
}

TEST(CheckReport, AsJsonHasTheSame) {
  const auto document = nlohmann::json::parse(report_json(findings));
  EXPECT_EQ(document.at("ok"), false);
  EXPECT_EQ(document.at("checks").size(), 3U);
  EXPECT_EQ(document.at("checks").at(1).at("check"), "tcp");
  EXPECT_EQ(document.at("checks").at(1).at("outcome"), "failed");
  EXPECT_EQ(document.at("checks").at(1).at("hint"), "start it");
  EXPECT_EQ(document.at("checks").at(2).at("outcome"), "not_tried");
}

TEST(CheckReport, TheFirstFailureDecidesTheExitCode) {
  EXPECT_EQ(exit_code_of(findings), exit_code(ErrorCode::network));
  EXPECT_EQ(exit_code_of(std::vector{findings.front()}), 0);
}

}  // namespace
}  // namespace hansa::client
