// Every program says from which commit it was built, and which protocol it speaks.
#include <gtest/gtest.h>

#include "tests/process/program_test.h"

namespace hansa::testing {
namespace {

class Versions : public ProgramTest {};

TEST_F(Versions, EveryProgramHasCommitAndProtocol) {
  std::string first;
  for (const char* program :
       {"hansa", "hansa-aggregator", "hansa-client", "hansa-evaluator", "hansa-trainer"}) {
    const std::string text = run(program, {"--version"}, program);
    std::smatch match;
    ASSERT_TRUE(std::regex_match(
        text, match,
        std::regex(std::string(program) + "( [0-9.]+ \\(commit [0-9a-z]+, protocol [0-9]+\\))\n")))
        << text;
    if (first.empty()) first = match[1];
    EXPECT_EQ(match[1], first);
  }
}

}  // namespace
}  // namespace hansa::testing
