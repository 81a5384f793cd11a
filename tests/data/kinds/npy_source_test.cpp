// Kind "npy" with .npy files: values of each type, and errors.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/npy_files.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using testing::Bytes;
using testing::bytes_of_values;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using testing::npy_bytes;
using testing::NpyText;
using testing::read_inputs;
using testing::read_targets;
using testing::refusal_of;
using testing::try_open_kind;
using testing::write_bytes;

Bytes with_bytes_reversed(Bytes bytes, std::size_t size) {
  for (std::size_t i = 0; i < bytes.size(); i += size)
    std::reverse(bytes.begin() + static_cast<std::ptrdiff_t>(i),
                 bytes.begin() + static_cast<std::ptrdiff_t>(i + size));
  return bytes;
}

class NpySource : public ::testing::Test {
 protected:
  NpySource() {
    config_.kind = "npy";
    config_.file = folder_ / "x.npy";
    config_.labels = folder_ / "y.npy";
    write_labels<std::uint8_t>("|u1", {2, 0});
  }
  void write_inputs(const NpyText& text, const Bytes& values) {
    write_bytes(config_.file, npy_bytes(text, values));
  }
  template <class T>
  void write_labels(const std::string& descriptor, const std::vector<T>& labels) {
    const std::string shape = "(" + std::to_string(labels.size()) + ",)";
    write_bytes(config_.labels, npy_bytes({descriptor, shape}, bytes_of_values(labels)));
  }
  // Two examples of two values each, in both byte orders. Out is the type of the input.
  template <class Stored, class Out>
  void expect_values(const std::string& code, const std::vector<Stored>& stored, ElementType type,
                     const std::vector<Out>& wanted) {
    const Bytes native = bytes_of_values(stored);
    for (const char order : {'<', '>'}) {
      SCOPED_TRACE(order + code);
      write_inputs({order + code, "(2, 2)"},
                   order == '<' ? native : with_bytes_reversed(native, sizeof(Stored)));
      const auto source = try_open_kind(config_);
      ASSERT_TRUE(source) << source.error().text();
      EXPECT_EQ((*source)->shape().inputs[0].type, type);
      EXPECT_THAT((*source)->shape().inputs[0].shape, ElementsAre(2));
      EXPECT_EQ(read_inputs<Out>(**source, {0, 1}), wanted);
    }
  }

  TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(NpySource, EachTypeOfNumbersIsReadInBothByteOrders) {
  const std::vector<float> wanted{0, -1.5, 2, 65504};
  expect_values<std::uint16_t>("f2", {0x0000, 0xBE00, 0x4000, 0x7BFF}, ElementType::float32, wanted);
  expect_values<float>("f4", {0, -1.5F, 2, 65504}, ElementType::float32, wanted);
  expect_values<double>("f8", {0, -1.5, 2, 65504}, ElementType::float32, wanted);
  const std::vector<float> small{-3, 2, 1, 0};
  expect_values<std::int8_t>("i1", {-3, 2, 1, 0}, ElementType::float32, small);
  expect_values<std::int16_t>("i2", {-3, 2, 1, 0}, ElementType::float32, small);
  expect_values<std::uint8_t>("u1", {255, 2, 1, 0}, ElementType::float32, std::vector<float>{255, 2, 1, 0});
  expect_values<std::uint16_t>("u2", {65535, 2, 1, 0}, ElementType::float32,
                               std::vector<float>{65535, 2, 1, 0});
  expect_values<std::int32_t>("i4", {-3, 2, 1, 1 << 30}, ElementType::int32,
                              std::vector<std::int32_t>{-3, 2, 1, 1 << 30});
  expect_values<std::int64_t>("i8", {-3, 2, 1, 1LL << 60}, ElementType::int64,
                              std::vector<std::int64_t>{-3, 2, 1, 1LL << 60});
  expect_values<std::uint32_t>("u4", {3'000'000'000U, 2, 1, 0}, ElementType::int64,
                               std::vector<std::int64_t>{3'000'000'000, 2, 1, 0});
  expect_values<std::uint64_t>("u8", {1ULL << 60, 2, 1, 0}, ElementType::int64,
                               std::vector<std::int64_t>{1LL << 60, 2, 1, 0});
  expect_values<std::uint8_t>("b1", {1, 0, 7, 0}, ElementType::boolean,
                              std::vector<std::uint8_t>{1, 0, 1, 0});
}

TEST_F(NpySource, AFileOfNumPyIsRead) {
  // numpy.save(file, numpy.array([[1, 2], [3, 4]], dtype=">i2")) of NumPy 1.24.
  constexpr char start[] =
      "\x93NUMPY\x01\x00v\x00{'descr': '>i2', 'fortran_order': False, 'shape': (2, 2), }";
  std::string bytes(start, sizeof start - 1);
  bytes.append(127 - bytes.size(), ' ');
  bytes += std::string("\n\0\1\0\2\0\3\0\4", 9);
  write_bytes(config_.file, Bytes(bytes.begin(), bytes.end()));
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_THAT(read_inputs(**source, {1, 0}), ElementsAre(3, 4, 1, 2));
  EXPECT_THAT(read_targets<std::int64_t>(**source, {1, 0}), ElementsAre(0, 2));
  EXPECT_EQ((*source)->shape().targets[0].class_count, 3);
}

TEST_F(NpySource, FortranOrderReadsTheSameAndIsHeldInMemory) {
  // a[n][i][j] = 100 n + 10 i + j of shape (2, 3, 2): the first dimension is the fastest.
  std::vector<std::uint8_t> values;
  for (const int j : {0, 1})
    for (const int i : {0, 1, 2})
      for (const int n : {0, 1}) values.push_back(static_cast<std::uint8_t>(100 * n + 10 * i + j));
  write_inputs({"|u1", "(2, 3, 2)", "True"}, values);
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_THAT(read_inputs(**source, {0, 1}), ElementsAre(0, 1, 10, 11, 20, 21, 100, 101, 110, 111, 120, 121));
  EXPECT_EQ((*source)->memory_bytes(), 12U);
}

TEST_F(NpySource, AFileInCOrderTakesNoMemory) {
  write_inputs({"<f4", "(2, 2)"}, Bytes(16));
  EXPECT_EQ(try_open_kind(config_).value()->memory_bytes(), 0U);
}

TEST_F(NpySource, ExamplesMaxTakesTheFirst) {
  write_inputs({"|u1", "(2, 2)", "True"}, {1, 3, 2, 4});
  config_.examples_max = 1;
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 1U);
  EXPECT_THAT(read_inputs(**source, {0}), ElementsAre(1, 2));
  EXPECT_EQ((*source)->memory_bytes(), 2U);
}

TEST_F(NpySource, WithoutLabelsThereIsNoTarget) {
  write_inputs({"<f4", "(2, 2)"}, Bytes(16));
  config_.labels.clear();
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_THAT((*source)->shape().targets, IsEmpty());
}

TEST_F(NpySource, FloatsAreRealTargetsAndAColumnOfLabelsIsFlat) {
  write_inputs({"<f4", "(2, 2)"}, Bytes(16));
  write_labels<double>("<f8", {0.5, -1});
  EXPECT_THAT(read_targets<float>(*try_open_kind(config_).value(), {0, 1}), ElementsAre(0.5, -1));
  write_bytes(config_.labels, npy_bytes({"|u1", "(2, 1)"}, {4, 1}));
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_THAT((*source)->shape().targets[0].shape, IsEmpty());
  EXPECT_EQ((*source)->shape().targets[0].class_count, 5);
}

TEST_F(NpySource, InvalidValuesAreRefusedNamingTheExample) {
  write_inputs({"<f4", "(2, 1)"}, bytes_of_values<float>({1, std::numeric_limits<float>::quiet_NaN()}));
  Error error = refusal_of(config_);
  EXPECT_EQ(error.location, config_.file.string() + ": example 1");
  EXPECT_EQ(error.reason.code, ReasonCode::example_invalid);
  EXPECT_EQ(error.reason.number(Quantity::example), 1U);
  write_inputs({"<f8", "(2, 1)"}, bytes_of_values<double>({1e300, 1}));
  EXPECT_EQ(refusal_of(config_).location, config_.file.string() + ": example 0");
  write_inputs({"<u8", "(2, 1)"}, bytes_of_values<std::uint64_t>({0, 1ULL << 63}));
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("too large"));
  write_inputs({"<f4", "(2, 1)"}, Bytes(8));
  write_labels<std::int16_t>("<i2", {-100, -1});
  error = refusal_of(config_);
  EXPECT_EQ(error.location, config_.file.string() + ": example 1");
  EXPECT_THAT(error.what, HasSubstr("label -1"));
}

TEST_F(NpySource, AnInvalidExampleFarInTheFileIsFound) {
  std::vector<float> values(700'000, 1);  // more than is checked at once
  values[650'001] = std::numeric_limits<float>::infinity();
  write_inputs({"<f4", "(350000, 2)"}, bytes_of_values(values));
  config_.labels.clear();
  EXPECT_EQ(refusal_of(config_).location, config_.file.string() + ": example 325000");
  config_.examples_max = 325'000;
  EXPECT_TRUE(try_open_kind(config_));
}

TEST_F(NpySource, PlacesThatDoNotCountAreNoClass) {
  write_inputs({"<f4", "(2, 1)"}, Bytes(8));
  write_labels<std::int8_t>("|i1", {-100, -100});
  EXPECT_EQ(try_open_kind(config_).value()->shape().targets[0].class_count, 0);
}

TEST_F(NpySource, ArraysThatAreNoExamplesAreRefused) {
  write_inputs({"<f4", "()"}, Bytes(4));
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("without dimensions"));
  write_inputs({"<f4", "(3, 1)"}, Bytes(12));
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("3 examples in x, but 2 in y"));
  write_inputs({"<f4", "(2, 0)"}, {});
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("without a value"));
  write_inputs({"<f4", "(0, 18446744073709551615)"}, {});
  write_labels<std::uint8_t>("|u1", {});
  EXPECT_EQ(refusal_of(config_).reason.code, ReasonCode::too_few_examples);
}

TEST_F(NpySource, OtherFilesAreRefused) {
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("does not exist"));
  write_bytes(config_.file, {});
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("is empty"));
  testing::write_text(config_.file, "1,2,3\n");
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("not an .npy file"));
  write_inputs({"<f4", "(2, 1)"}, Bytes(8));
  testing::write_text(config_.labels, "1\n2\n");
  EXPECT_EQ(refusal_of(config_).location, config_.labels.string());
  config_.file = folder_.path();
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("not a file"));
}

TEST_F(NpySource, AFileThatIsTruncatedLaterIsAnErrorOfReading) {
  write_inputs({"<f4", "(2, 1024)"}, Bytes(8192));
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  std::filesystem::resize_file(config_.file, 4096);
  const std::vector<std::uint32_t> indices{1};
  const auto read = read_tensor<float>(**source, 0, indices);
  ASSERT_FALSE(read);
  EXPECT_EQ(read.error().location, config_.file.string());
  EXPECT_THAT(read.error().what, HasSubstr("shorter"));
}

TEST_F(NpySource, ThreadsReadConcurrently) {
  std::vector<float> values(2000);
  std::iota(values.begin(), values.end(), 0.0F);
  write_inputs({"<f4", "(1000, 2)"}, bytes_of_values(values));
  config_.labels.clear();
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  std::vector<std::vector<float>> read(4);
  {
    std::vector<std::jthread> threads;
    for (auto& out : read) threads.emplace_back([&] { out = read_inputs(**source, all_of(**source)); });
  }
  for (const auto& out : read) EXPECT_EQ(out, values);
}

}  // namespace
}  // namespace hansa::learning
