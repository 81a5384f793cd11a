// hansa-evaluator, which is locked before it loads the archive that the operator was given.
#include <csignal>
#include <fstream>
#include <string>

#include <gtest/gtest.h>
#include <poll.h>

#include "server/evaluation/model_process.h"
#include "tests/data/data_files.h"
#include "tests/learning/attacking_archives.h"

namespace hansa::server {
namespace {

namespace lt = learning::testing;

TEST(AdversarySandboxEvaluator, AFileThatTheModelReadsStaysUnread) {
  lt::TemporaryFolder folder;
  const std::string secret = (folder / "operator.key").string();
  std::ofstream(secret) << "77777777777777777777777777777777";
  lt::write_attacking_archive(folder / "model.pt", "t = torch.from_file(\"" + secret +
                                                       "\", False, 32, dtype=0)\n" +
                                                       "return torch.sum(self.forward(x)) + t[0]");
  const auto facts = describe_archive_in_child(folder / "model.pt");
  if (!facts) {
    EXPECT_EQ(facts.error().code, ErrorCode::model) << facts.error().text();
    return;  // refused before its code runs
  }
  auto evaluator = BackgroundEvaluator::start(folder / "model.pt", lt::write_data(folder, {}), 1);
  ASSERT_TRUE(evaluator) << evaluator.error().text();
  std::ofstream(folder / "parameters.f32", std::ios::binary)
      .write(reinterpret_cast<const char*>(facts->parameters.data()),
             static_cast<std::streamsize>(facts->parameters.size() * sizeof(float)));
  (*evaluator)->request(folder / "parameters.f32");
  std::optional<Result<Metrics>> answer;
  while (!(answer = (*evaluator)->take())) {
    pollfd waiting{(*evaluator)->descriptor(), POLLIN, 0};
    ::poll(&waiting, 1, -1);
  }
  ASSERT_FALSE(*answer) << "the file was read";
  EXPECT_EQ(answer->error().code, ErrorCode::model) << answer->error().text();
}

}  // namespace
}  // namespace hansa::server
