// Kind "npy" with .npz files: arrays by name, and archives that are damaged or claim too much.
#include <algorithm>
#include <cstring>

#include <gmock/gmock.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/npy_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::Bytes;
using testing::bytes_of_values;
using testing::Compression;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy_bytes;
using testing::read_inputs;
using testing::read_targets;
using testing::refusal_of;
using testing::try_open_kind;
using testing::ZipEntry;

class NpzSource : public ::testing::Test {
 protected:
  NpzSource() {
    config_.kind = "npy";
    config_.file = folder_ / "data.npz";
  }
  Error refusal_of_entries(const std::vector<ZipEntry>& entries,
                           Compression compression = Compression::stored) {
    testing::write_zip(config_.file, entries, compression);
    return refusal_of(config_);
  }

  TemporaryFolder folder_;
  DataConfig config_;
  const ZipEntry x_{"x.npy", npy_bytes({"|u1", "(3, 2)"}, {1, 2, 3, 4, 5, 6})};
  const ZipEntry y_{"y.npy", npy_bytes({"|u1", "(3,)"}, {0, 2, 1})};
};

TEST_F(NpzSource, StoredAndDeflatedArraysAreReadByName) {
  const ZipEntry mask{"mask.npy", npy_bytes({"|b1", "(3, 1)"}, {1, 0, 1})};
  const ZipEntry weight{"y_weight.npy", npy_bytes({"<f4", "(3,)"}, bytes_of_values<float>({1, 2, 3}))};
  for (const Compression compression : {Compression::stored, Compression::deflated}) {
    testing::write_zip(config_.file, {weight, x_, y_, mask}, compression);
    const auto source = try_open_kind(config_);
    ASSERT_TRUE(source) << source.error().text();
    const ExampleShape& shape = (*source)->shape();
    EXPECT_EQ(text_of(shape.inputs), "`x`: float32 [2], `mask`: boolean [1]");
    EXPECT_EQ(text_of(shape.targets), "`y_weight`: float32 [], `y`: int64 []");
    EXPECT_EQ(shape.targets[1].class_count, 3);
    EXPECT_THAT(read_inputs(**source, {2, 0}), ElementsAre(5, 6, 1, 2));
    const std::vector<std::uint32_t> indices{1, 2};
    EXPECT_THAT(read_tensor<std::uint8_t>(**source, 1, indices).value(), ElementsAre(0, 1));
    EXPECT_THAT(read_tensor<std::int64_t>(**source, 3, indices).value(), ElementsAre(2, 1));
    EXPECT_EQ((*source)->memory_bytes(), 6U + 3 + 3 + 12);
  }
}

TEST_F(NpzSource, ExamplesMaxBoundsWhatIsReadIntoMemory) {
  config_.examples_max = 2;
  testing::write_zip(config_.file, {x_, y_}, Compression::deflated);
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->memory_bytes(), 4U + 2);
  EXPECT_THAT(read_inputs(**source, {1}), ElementsAre(3, 4));
}

TEST_F(NpzSource, FortranOrderIsRead) {
  testing::write_zip(config_.file, {{"x.npy", npy_bytes({"|u1", "(3, 2)", "True"}, {1, 3, 5, 2, 4, 6})}, y_});
  EXPECT_THAT(read_inputs(*try_open_kind(config_).value(), {0, 1, 2}), ElementsAre(1, 2, 3, 4, 5, 6));
}

TEST_F(NpzSource, ArraysThatAreNoTensorsAreRefused) {
  EXPECT_THAT(refusal_of_entries({y_}).what, HasSubstr("no array \"x\""));
  EXPECT_THAT(refusal_of_entries({x_, {"data.pkl", {1}}}).hint, HasSubstr("\"tensors\""));
  EXPECT_THAT(refusal_of_entries({x_, {"y.npy", npy_bytes({"|O", "(3,)"}, {0x80, 3})}}).what,
              HasSubstr("Python objects"));
  EXPECT_THAT(refusal_of_entries({{std::string(65, 'a') + ".npy", x_.bytes}}).what, HasSubstr("name"));
  EXPECT_THAT(refusal_of_entries({x_, {"y.npy", npy_bytes({"|u1", "(2,)"}, {0, 1})}}).what,
              HasSubstr("3 examples in x, but 2 in y"));
  std::vector<ZipEntry> many;
  for (int i = 0; i < 17; ++i) many.push_back({"x" + std::to_string(i) + ".npy", x_.bytes});
  EXPECT_THAT(refusal_of_entries(many).what, HasSubstr("17 arrays"));
}

TEST_F(NpzSource, LabelsInAFileOfTheirOwnAreRefused) {
  testing::write_zip(config_.file, {x_, y_});
  config_.labels = folder_ / "y.npy";
  EXPECT_EQ(refusal_of(config_).location, "data.labels");
}

TEST_F(NpzSource, AnotherCompressionIsRefused) {
  EXPECT_THAT(
      refusal_of_entries({{"x.npy", npy_bytes({"|u1", "(3000, 2)"}, Bytes(6000))}}, Compression::bzip2).what,
      HasSubstr("deflate"));
}

TEST_F(NpzSource, AWrongChecksumIsRefused) {
  testing::write_zip(config_.file, {x_, y_});
  Bytes bytes = testing::read_bytes(config_.file);
  const Bytes values{1, 2, 3, 4, 5, 6};
  const auto at = std::search(bytes.begin(), bytes.end(), values.begin(), values.end());
  ASSERT_NE(at, bytes.end());
  *at = 9;
  testing::write_bytes(config_.file, bytes);
  const Error error = refusal_of(config_);
  EXPECT_THAT(error.what, HasSubstr("damaged"));
  EXPECT_EQ(error.reason.code, ReasonCode::data_damaged);
}

TEST_F(NpzSource, ASizeThatDeflateCannotReachIsRefusedBeforeMemoryIsAllocated) {
  testing::write_zip(config_.file, {{"x.npy", npy_bytes({"|u1", "(30000, 100)"}, Bytes(3'000'000))}},
                     Compression::deflated);
  Bytes bytes = testing::read_bytes(config_.file);
  ASSERT_LT(bytes.size(), 10'000U);
  // The uncompressed size, in the local header and in the central directory.
  const std::uint32_t claimed = 0x7FFF'FFFF;
  int changed = 0;
  for (std::size_t i = 0; i + 4 <= bytes.size(); ++i) {
    std::uint32_t size = 0;
    std::memcpy(&size, bytes.data() + i, 4);
    if (size != 3'000'128) continue;
    std::memcpy(bytes.data() + i, &claimed, 4);
    ++changed;
  }
  ASSERT_GE(changed, 1);
  testing::write_bytes(config_.file, bytes);
  const Error error = refusal_of(config_);
  EXPECT_EQ(error.reason.code, ReasonCode::data_damaged);
  EXPECT_THAT(error.what, HasSubstr("more bytes than it can hold"));
}

TEST_F(NpzSource, EveryTruncationIsRefused) {
  testing::write_zip(config_.file, {x_, y_}, Compression::deflated);
  const Bytes whole = testing::read_bytes(config_.file);
  for (std::size_t size = 1; size < whole.size(); ++size) {
    testing::write_bytes(config_.file, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_EQ(refusal_of(config_).code, ErrorCode::data) << size;
  }
}

TEST_F(NpzSource, EveryDamagedByteIsRefusedOrHarmless) {
  testing::write_zip(config_.file, {x_, y_}, Compression::deflated);
  const Bytes whole = testing::read_bytes(config_.file);
  for (std::size_t at = 2; at < whole.size(); ++at) {
    Bytes bytes = whole;
    bytes[at] ^= 0xFF;
    testing::write_bytes(config_.file, bytes);
    const auto source = try_open_kind(config_);
    if (!source) continue;
    // Dates, flags and the like: the values are those that were written.
    EXPECT_THAT(read_inputs(**source, {0, 1, 2}), ElementsAre(1, 2, 3, 4, 5, 6)) << at;
  }
}

}  // namespace
}  // namespace hansa::learning
