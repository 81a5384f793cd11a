// Starts of an aggregator after an attack on its runs: which run it continues, and what it removes first.
#include "tests/server_parts/adversary_store.h"

#include <sys/wait.h>

namespace hansa::server {
namespace {

TEST_F(AdversaryStore, ARunWithoutItsModelsOrItsDatabaseIsNotReplaced) {
  const auto path = make(newer, 3);
  for (const char* lost : {"models", "run.sqlite", "archive.pt", "layout.txt"}) {
    std::filesystem::rename(path / lost, folder_ / lost);
    expect_storage_error(lost);
    std::filesystem::remove_all(path / lost);
    std::filesystem::rename(folder_ / lost, path / lost);
  }
  std::filesystem::rename(path / "run.sqlite", folder_ / "run.sqlite");
  std::ofstream(path / "run.sqlite") << "";
  expect_storage_error("an empty run.sqlite");
  std::ofstream(path / "run.sqlite") << "this is no database, but it is long enough to look like one";
  expect_storage_error("another run.sqlite");
  std::filesystem::remove(path / "run.sqlite");
  std::filesystem::rename(folder_ / "run.sqlite", path / "run.sqlite");
  const auto resumed = prepare();
  ASSERT_TRUE(resumed) << resumed.error().text();
  EXPECT_TRUE(resumed->resumed);
  EXPECT_EQ(resumed->position, RoundId(3));
}

// A symbolic link that leads to itself cannot be read by root either.
TEST_F(AdversaryStore, AnUnreadableRunIsNotReplaced) {
  std::filesystem::create_directories(make(older, 2));
  const auto path = config_.runs / newer;
  std::filesystem::create_directories(path);
  std::filesystem::create_symlink("run.sqlite", path / "run.sqlite");
  const auto run = prepare();
  ASSERT_FALSE(run);
  EXPECT_EQ(run.error().code, ErrorCode::storage) << run.error().text();
}

TEST_F(AdversaryStore, ANewRunMayBeStartedBesideADamagedOne) {
  const auto path = make(newer, 3);
  std::filesystem::remove_all(path / "models");
  const auto run = prepare(RunChoice::new_run);
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_NE(run->run, newer);
}

TEST_F(AdversaryStore, TouchingOrCopyingAnOlderRunDoesNotMakeItTheNewest) {
  const auto old = make(older, 7);
  make(newer, 3);
  std::filesystem::create_directories(config_.runs / "fashion-99990101-000000");  // nothing began there
  std::filesystem::copy(old, config_.runs / "fashion-20260103-000000",
                        std::filesystem::copy_options::recursive);
  const auto later = std::filesystem::file_time_type::clock::now() + std::chrono::hours(1);
  for (const auto& file : files_in(old)) std::filesystem::last_write_time(file, later);
  std::filesystem::last_write_time(old, later);
  const auto run = prepare();
  ASSERT_TRUE(run) << run.error().text();
  EXPECT_EQ(run->run, newer);
  EXPECT_EQ(run->position, RoundId(3));
}

// A.3: the aggregator crashes after it stored a model, its state and its delta, and before it committed the round. The
// next start leaves no file with the abandoned sum, whichever run it continues or begins.
TEST_F(AdversaryStore, AnAbandonedSumIsOnNoDiskAfterTheNextStart) {
  for (const RunChoice choice : {RunChoice::resume_or_new, RunChoice::new_run}) {
    std::filesystem::remove_all(config_.runs);
    const auto path = make(newer, 2);
    const auto abandoned = model_of(77, elements), velocity = model_of(78, elements);
    const std::string delta = "the delta of an abandoned sum";
    const pid_t child = ::fork();
    if (child == 0) {
      auto run = RunFolder::open(path);
      (void)(*run)->put_model(abandoned);
      (void)(*run)->put_model(velocity);
      (void)(*run)->put_delta(std::as_bytes(std::span(delta)));
      std::ofstream(path / "models" / "model.tmp", std::ios::binary)
          .write(reinterpret_cast<const char*>(abandoned.data()), elements * sizeof(float));
      std::ofstream(path / "archive.pt.tmp123") << delta;
      ::_exit(0);
    }
    ASSERT_EQ(::waitpid(child, nullptr, 0), child);
    const auto holds = [&](const std::filesystem::path& file) {
      const auto content = read_text_file(file, 1 << 24);
      const auto has = [&](std::string_view bytes) { return content->find(bytes) != std::string::npos; };
      return has({reinterpret_cast<const char*>(abandoned.data()), elements * sizeof(float)}) ||
             has({reinterpret_cast<const char*>(velocity.data()), elements * sizeof(float)}) || has(delta);
    };
    EXPECT_EQ(std::ranges::count_if(files_in(path), holds), 5);
    const auto run = prepare(choice);
    ASSERT_TRUE(run) << run.error().text();
    EXPECT_EQ(run->resumed, choice == RunChoice::resume_or_new);
    EXPECT_EQ(std::ranges::count_if(files_in(config_.runs), holds), 0);
    EXPECT_TRUE(verified(path));
  }
}

// The files of a run that names its models wrongly are evidence, and may be all that is left.
TEST_F(AdversaryStore, ADamagedRowRemovesNoModel) {
  const auto path = make(newer, 3);
  std::string model;
  {
    const auto run = RunFolder::open_read_only(path);
    model = (*run)->model_path((**(*run)->round(RoundId(1))).model);
  }
  auto bytes = read_text_file(path / "run.sqlite", 1 << 24);
  const auto digest = parse_digest(std::filesystem::path(model).stem().string());
  const std::string needle(reinterpret_cast<const char*>(digest->bytes.data()), digest->bytes.size());
  ASSERT_NE(bytes->find(needle), std::string::npos);
  for (std::size_t found = bytes->find(needle); found != std::string::npos;
       found = bytes->find(needle, found + 1))
    flip(path / "run.sqlite", 8 * found);
  expect_storage_error("every row that names the model of round 1");
  EXPECT_TRUE(std::filesystem::exists(model));
}

}  // namespace
}  // namespace hansa::server
