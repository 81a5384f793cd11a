// A federation's run folders for attacks on what a run stores.
#pragma once
#include <algorithm>
#include <filesystem>
#include <fstream>
#include <string>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include "common/files.h"
#include "common/parameter_layout.h"
#include "server/setup/run_setup.h"
#include "server/store/run_folder.h"
#include "tests/server_parts/store_fixtures.h"
#include "tests/temporary_folder.h"

namespace hansa::server {

inline constexpr std::size_t elements = 32;
inline constexpr const char* older = "fashion-20260101-000000";
inline constexpr const char* newer = "fashion-20260102-000000";

// Describes an archive of arbitrary bytes as a layout of one tensor.
inline Result<ArchiveFacts> describe(const std::filesystem::path& archive, std::span<const std::string>) {
  HANSA_TRY(const std::string text, read_text_file(archive, 1 << 20));
  HANSA_TRY(auto layout, ParameterLayout::create({{.name = "weight", .shape = {elements}}}));
  return ArchiveFacts{sha256(text), std::move(layout), PageVector<float>(elements, 1.0F)};
}

class AdversaryStore : public ::testing::Test {
 protected:
  AdversaryStore() {
    config_.name = "fashion";
    config_.runs = folder_ / "runs";
    config_.model = folder_ / "model.pt";
    config_.rounds = 100;
    std::ofstream(config_.model) << "archive";
  }
  Result<PreparedRun> prepare(RunChoice choice = RunChoice::resume_or_new) {
    return prepare_run(config_, *open_catalogue(config_.runs), {choice, ""}, describe);
  }
  // A run of this name with this many rounds, each with a state vector and a delta.
  std::filesystem::path make(const std::string& name, std::uint32_t rounds) {
    const auto path = config_.runs / name;
    auto opened = RunFolder::open(path);
    EXPECT_TRUE(opened) << opened.error().text();
    RunFolder& run = **opened;
    const auto facts = describe(config_.model, {});
    EXPECT_TRUE(run.put_archive(config_.model));
    EXPECT_TRUE(run.put_layout(facts->layout.text()));
    const std::vector<float> initial(facts->parameters.begin(), facts->parameters.end());
    RunIdentity identity = identity_of(initial);
    identity.federation = config_.name;
    identity.run = name;
    identity.seed = config_.seed;
    identity.archive = facts->archive;
    identity.layout = facts->layout.digest();
    EXPECT_TRUE(run.begin_run(identity, initial));
    for (std::uint32_t round = 1; round <= rounds; ++round) commit_one(run, round);
    return path;
  }
  static void commit_one(RunFolder& run, std::uint32_t round) {
    const auto base = run.position();
    const auto model = run.put_model(model_of(round, elements));
    RoundRecord record = record_of(round, *model, (*base)->model);
    record.state = {{"fedavgm.velocity", *run.put_model(model_of(1'000 + round, elements))}};
    const std::string delta = "delta " + std::to_string(round);
    record.published = Published{*model, checksum(std::string_view("p")),
                                 *run.put_delta(std::as_bytes(std::span(delta))), std::nullopt};
    const auto committed = run.commit_round(record);
    ASSERT_TRUE(committed) << committed.error().text();
    ASSERT_TRUE(run.record_evaluation(RoundId(round), {{"accuracy", 1.0 * round, 10}}));
  }
  // All that a reader sees, as text.
  static Result<std::string> history_of(const std::filesystem::path& path) {
    HANSA_TRY(const auto run, RunFolder::open_read_only(path));
    HANSA_TRY(const auto identity, run->identity());
    if (!identity) return std::string("nothing");
    std::string out = identity->federation + identity->run + std::to_string(identity->seed) +
                      identity->archive.text() + identity->layout.text() + identity->initial_model.text() +
                      identity->started_from;
    HANSA_TRY(const auto rounds, run->rounds());
    for (const RoundRecord& r : rounds) {
      out += "|" + std::to_string(r.round.value) + r.model.text() + r.base.text() + r.started_at +
             std::to_string(r.seconds) + std::to_string(r.attempt) + std::to_string(r.model_kept);
      for (const Participation& p : r.participations) {
        out += p.client + name(p.outcome) + p.reason + std::to_string(p.examples) + p.update.text() +
               std::to_string(p.bytes_up) + std::to_string(p.bytes_down) + std::to_string(p.seconds);
        for (const Metric& m : p.metrics) out += m.name + std::to_string(m.sum) + std::to_string(m.count);
      }
      if (r.secure) out += std::to_string(r.secure->clip) + std::to_string(r.secure->examples);
      for (const StateVector& state : r.state) out += state.name + state.vector.text();
      HANSA_TRY(const auto published, run->published(r.round));
      if (published) out += published->delta.text() + published->model.text();
    }
    HANSA_TRY(const auto evaluations, run->evaluations());
    for (const auto& [round, metrics] : evaluations)
      for (const Metric& m : metrics) out += std::to_string(round.value) + m.name + std::to_string(m.sum);
    return out;
  }
  static bool verified(const std::filesystem::path& path) {
    const auto run = RunFolder::open_read_only(path);
    if (!run) return false;
    const auto check = (*run)->verify();
    return check && check->problems.empty();
  }
  // Every file below the folder.
  static std::vector<std::filesystem::path> files_in(const std::filesystem::path& folder) {
    std::vector<std::filesystem::path> out;
    for (const auto& entry : std::filesystem::recursive_directory_iterator(folder))
      if (entry.is_regular_file()) out.push_back(entry.path());
    std::ranges::sort(out);
    return out;
  }
  static void flip(const std::filesystem::path& file, std::uint64_t bit) {
    const int descriptor = ::open(file.c_str(), O_RDWR | O_CLOEXEC);
    ASSERT_GE(descriptor, 0) << file;
    char byte = 0;
    ASSERT_EQ(::pread(descriptor, &byte, 1, static_cast<off_t>(bit / 8)), 1);
    byte = static_cast<char>(byte ^ (1 << (bit % 8)));
    ASSERT_EQ(::pwrite(descriptor, &byte, 1, static_cast<off_t>(bit / 8)), 1);
    ::close(descriptor);
  }
  void expect_storage_error(const char* what) {
    const auto run = prepare();
    ASSERT_FALSE(run) << what << ": " << (run ? run->run : "");
    EXPECT_EQ(run.error().code, ErrorCode::storage) << run.error().text();
    EXPECT_FALSE(run.error().hint.empty()) << run.error().text();
    EXPECT_EQ(std::distance(std::filesystem::directory_iterator(config_.runs), {}), 1)
        << "a new run was made";
  }

  const TemporaryFolder folder_;
  FederationConfig config_;
};

}  // namespace hansa::server
