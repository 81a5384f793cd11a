// The files of a run folder: models, model deltas, the archive.
#include <filesystem>
#include <fstream>
#include <iterator>

#include <gtest/gtest.h>

#include "common/page_memory.h"
#include "tests/server_parts/run_folder_fixture.h"

namespace hansa::server {
namespace {

using RunFiles = RunFolderTest;

std::string text_of(const std::filesystem::path& path) {
  std::ifstream file(path);
  return {std::istreambuf_iterator<char>(file), {}};
}

TEST_F(RunFiles, StateVectorsAreKeptWithTheirRoundAndWithTheRun) {
  const std::vector<float> before(18'000, 0.5F), after(18'000, 0.25F);
  RunIdentity identity = identity_of(model_of(0));
  {
    const auto store = open();
    identity.initial_state = {{"fedavgm.velocity", vector_digest(before)}};
    const auto unknown = store->begin_run(identity, model_of(0));
    ASSERT_FALSE(unknown);
    EXPECT_NE(unknown.error().what.find("has no vector"), std::string::npos);
    ASSERT_TRUE(store->put_model(before));
    ASSERT_TRUE(store->begin_run(identity, model_of(0)));
    RoundRecord record = record_of(1, *store->put_model(model_of(1)), vector_digest(model_of(0)));
    record.state = {{"fedavgm.velocity", vector_digest(after)}, {"control", vector_digest(before)}};
    EXPECT_FALSE(store->commit_round(record)) << "a vector is missing";
    ASSERT_TRUE(store->put_model(after));
    ASSERT_TRUE(store->commit_round(record));
  }
  const auto store = open();
  EXPECT_EQ(store->identity()->value().initial_state, identity.initial_state);
  const auto state = store->round(RoundId(1))->value().state;
  EXPECT_EQ(state, (std::vector<StateVector>{{"fedavgm.velocity", vector_digest(after)},
                                             {"control", vector_digest(before)}}));
  std::vector<float> found(18'000);
  for (const StateVector& vector : state) EXPECT_TRUE(store->get_model(vector.vector, found));
}

TEST_F(RunFiles, WhatWasPublishedInPlaceOfARoundsModelIsKeptWithIt) {
  const std::vector<std::byte> delta{std::byte{1}, std::byte{0}, std::byte{7}};
  const Published published{sha256(std::string_view("near it")), checksum(std::string_view("it")),
                            sha256(std::span<const std::byte>(delta))};
  {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    ASSERT_TRUE(commit(*store, 1));
    const auto model = store->put_model(model_of(2));
    RoundRecord record = record_of(2, *model, vector_digest(model_of(1)));
    record.published = published;
    const auto without = store->commit_round(record);
    ASSERT_FALSE(without);
    EXPECT_NE(without.error().what.find("has no delta"), std::string::npos);
    for (int again = 0; again < 2; ++again) EXPECT_EQ(*store->put_delta(delta), published.delta);
    ASSERT_TRUE(store->commit_round(record));
  }
  const auto reader = RunFolder::open_read_only(path_);
  ASSERT_TRUE(reader) << reader.error().text();
  EXPECT_EQ(*(*reader)->published(RoundId(1)), std::nullopt);
  EXPECT_EQ(*(*reader)->published(RoundId(2)), published);
  EXPECT_EQ(*(*reader)->published(RoundId(3)), std::nullopt);
  EXPECT_FALSE((*(*reader)->round(RoundId(2)))->published);  // only when it is requested
  EXPECT_EQ(*(*reader)->get_delta(published.delta), delta);
  EXPECT_FALSE((*reader)->put_delta(delta));  // opened for reading only
}

TEST_F(RunFiles, ADeltaThatIsDamagedOrMissingIsAnError) {
  const std::vector<std::byte> delta(5'000, std::byte{7});
  const auto store = open();
  ASSERT_TRUE(begin(*store));
  const Digest digest = *store->put_delta(delta);
  std::ofstream(path_ / "deltas" / (digest.hex() + ".delta"), std::ios::app) << 'x';
  const auto damaged = store->get_delta(digest);
  ASSERT_FALSE(damaged);
  EXPECT_NE(damaged.error().text().find("damaged"), std::string::npos);
  ASSERT_TRUE(store->put_delta(delta));
  EXPECT_EQ(*store->get_delta(digest), delta);
  const auto gone = store->get_delta(sha256("another"));
  ASSERT_FALSE(gone);
  EXPECT_EQ(gone.error().code, ErrorCode::storage);
}

// Files that an aggregator stored before a crash and that no round names. A round whose sum is opened twice leaves such
// files too.
TEST_F(RunFiles, ModelsAndDeltasThatNoCommittedRoundNamesAreRemovedAtTheStart) {
  Digest model, delta;
  {
    const auto store = open();
    ASSERT_TRUE(begin(*store));
    ASSERT_TRUE(commit(*store, 1));
    model = *store->put_model(model_of(2));
    delta = *store->put_delta(std::vector<std::byte>(5'000, std::byte{7}));
  }
  std::ofstream(path_ / "deltas" / (delta.hex() + ".delta.tmp123")) << "a part";
  std::ofstream(path_ / "models" / "notes.txt") << "not a model";
  const auto store = open();
  std::vector<float> found(18'000);
  EXPECT_FALSE(store->get_model(model, found));
  EXPECT_FALSE(store->get_delta(delta));
  EXPECT_TRUE(std::filesystem::is_empty(path_ / "deltas"));
  EXPECT_TRUE(std::filesystem::exists(path_ / "models" / "notes.txt"));
  for (const std::uint32_t round : {0U, 1U})
    EXPECT_TRUE(store->get_model(vector_digest(model_of(round)), found));
}

TEST_F(RunFiles, ADamagedModelFileIsDetectedAndPuttingItAgainRepairsIt) {
  fill(1);
  const Digest digest = vector_digest(model_of(1));
  std::vector<float> model(18'000);
  const auto store = open();
  {
    std::fstream file(store->model_path(digest), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(35'000);
    file.put('\x7F');
  }
  const auto damaged = store->get_model(digest, model);
  ASSERT_FALSE(damaged);
  EXPECT_EQ(damaged.error().code, ErrorCode::storage);
  EXPECT_NE(damaged.error().what.find("damaged"), std::string::npos);
  ASSERT_TRUE(store->put_model(model_of(1)));
  EXPECT_TRUE(store->get_model(digest, model));
  EXPECT_EQ(model, model_of(1));
  std::filesystem::resize_file(store->model_path(digest), 71'996);
  EXPECT_FALSE(store->get_model(digest, model));
  std::filesystem::remove(store->model_path(digest));
  EXPECT_FALSE(store->get_model(digest, model));
  ASSERT_TRUE(store->put_model(model_of(1)));
  EXPECT_TRUE(store->get_model(digest, model));
  std::vector<float> shorter(17'999);
  EXPECT_FALSE(store->get_model(digest, shorter));
}

// Large models are written past the page cache: directly from whole pages, otherwise by blocks, with the last block
// padded and truncated again.
TEST_F(RunFiles, LargeModelsComeBackWhereverTheyLieAndWhateverTheirSize) {
  const auto store = open();
  for (const std::size_t elements : {262'144, 262'145, 1'048'576, 2'098'000, 5'000'001}) {
    PageVector<float> pages(elements + 1);
    const auto model = model_of(1, elements);
    for (const std::size_t shift : {0, 1}) {
      const std::span<float> values = std::span(pages).subspan(shift, elements);
      std::ranges::copy(model, values.begin());
      std::filesystem::remove(store->model_path(vector_digest(values)));
      const auto digest = store->put_model(values);
      ASSERT_TRUE(digest) << digest.error().text();
      EXPECT_EQ(*digest, vector_digest(model));
      EXPECT_EQ(std::filesystem::file_size(store->model_path(*digest)), 4 * elements);
      std::vector<float> back(elements);
      ASSERT_TRUE(store->get_model(*digest, back));
      EXPECT_EQ(back, model);
    }
  }
}

TEST_F(RunFiles, UnfinishedModelsOfACrashAreRemoved) {
  fill(1);
  std::ofstream(path_ / "models" / "abc.f32.tmp") << "half";
  const auto store = open();
  EXPECT_FALSE(std::filesystem::exists(path_ / "models" / "abc.f32.tmp"));
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(path_ / "models"), {}), 2);
}

TEST_F(RunFiles, KeepsTheArchiveAndTheLayout) {
  const auto store = open();
  EXPECT_EQ(store->archive_file().error().code, ErrorCode::storage);
  const auto archive = path_ / "given.pt";
  std::ofstream(archive) << std::string(1000, '\3');
  const auto digest = store->put_archive(archive);
  ASSERT_TRUE(digest) << digest.error().text();
  EXPECT_EQ(*digest, sha256(std::string(1000, '\3')));
  ASSERT_TRUE(store->put_layout("trainable w 2\n"));
  EXPECT_EQ(text_of(store->archive_path()), std::string(1000, '\3'));
  EXPECT_EQ(text_of(store->layout_path()), "trainable w 2\n");
  EXPECT_EQ(store->layout()->element_count(), 2U);
  EXPECT_EQ(store->location(), path_.string());
  EXPECT_EQ(*store->archive_file(), store->archive_path());
}

}  // namespace
}  // namespace hansa::server
