// Kills a process that commits rounds at various moments, and checks what remains.
#include <cerrno>
#include <csignal>
#include <set>

#include <gtest/gtest.h>
#include <sys/wait.h>
#include <unistd.h>

#include <nlohmann/json.hpp>

#include "common/files.h"
#include "server/store/run_folder.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

// In the child: commits rounds without end, and reports each operation with a byte ('p' model put, 'c' round
// committed).
[[noreturn]] void commit_until_killed(const std::filesystem::path& folder, int reports) {
  auto store = RunFolder::open(folder);
  if (!store || !begin(**store)) ::_exit(2);
  auto position = (*store)->position();
  if (!position) ::_exit(3);
  for (std::uint32_t round = (*position)->round.value + 1;; ++round) {
    const auto model = (*store)->put_model(model_of(round));
    if (!model || ::write(reports, "p", 1) != 1) ::_exit(4);
    if (!(*store)->commit_round(record_of(round, *model, {}))) ::_exit(5);
    if (::write(reports, "c", 1) != 1) ::_exit(6);
  }
}

// Starts a child and kills it after it has reported `steps` operations; returns the number of reported commits.
std::uint32_t run_and_kill(const std::filesystem::path& folder, int steps) {
  int pipe_ends[2];
  if (::pipe(pipe_ends) != 0) return 0;
  const pid_t child = ::fork();
  if (child == 0) {
    ::close(pipe_ends[0]);
    commit_until_killed(folder, pipe_ends[1]);
  }
  ::close(pipe_ends[1]);
  std::uint32_t commits = 0;
  char step = 0;
  for (int i = 0; i < steps && ::read(pipe_ends[0], &step, 1) == 1; ++i) commits += step == 'c' ? 1 : 0;
  ::kill(child, SIGKILL);
  int status = 0;
  ::waitpid(child, &status, 0);
  EXPECT_TRUE(WIFSIGNALED(status)) << "the child ended with " << WEXITSTATUS(status);
  while (::read(pipe_ends[0], &step, 1) == 1) commits += step == 'c' ? 1 : 0;
  ::close(pipe_ends[0]);
  return commits;
}

TEST(RunFolderCrash, KilledBetweenAnyTwoOperationsItContinuesFromTheLastCommittedRound) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "run";
  std::uint32_t reported = 0;
  for (int kill = 0; kill < 24; ++kill) {
    SCOPED_TRACE(kill);
    reported += run_and_kill(path, kill % 5);  // even: during or before a put; odd: between put and commit
    const auto store = RunFolder::open(path);
    ASSERT_TRUE(store) << store.error().text();
    const auto position = (*store)->position();
    ASSERT_TRUE(position);
    if (!position->has_value()) {
      ASSERT_EQ(reported, 0U);  // killed before the run was created
      continue;
    }
    // A commit may be durable and not yet reported. No reported commit may be missing.
    const std::uint32_t last = position->value().round.value;
    ASSERT_GE(last, reported);
    ASSERT_LE(last, reported + 1);
    reported = last;
    std::vector<float> model(18'000);
    const auto rounds = (*store)->rounds();
    ASSERT_TRUE(rounds);
    ASSERT_EQ(rounds->size(), last);
    for (const RoundRecord& record : *rounds) {
      ASSERT_TRUE((*store)->get_model(record.model, model));
      ASSERT_EQ(model, model_of(record.round.value));
      ASSERT_TRUE(same(record, record_of(record.round.value, record.model, {})));
    }
    const auto text = read_text_file((*store)->metrics_path(), 1 << 20);
    ASSERT_TRUE(text);
    std::multiset<std::uint32_t> lines, expected;
    for (std::size_t at = 0; at < text->size(); at = text->find('\n', at) + 1)
      lines.insert(
          nlohmann::json::parse(text->substr(at, text->find('\n', at) - at))["round"].get<std::uint32_t>());
    for (std::uint32_t round = 1; round <= last; ++round) expected.insert(round);
    ASSERT_EQ(lines, expected);
    for (const auto& entry : std::filesystem::directory_iterator(path / "models"))
      ASSERT_EQ(entry.path().extension(), ".f32");
  }
  EXPECT_GT(reported, 15U);
}

}  // namespace
}  // namespace hansa::server
