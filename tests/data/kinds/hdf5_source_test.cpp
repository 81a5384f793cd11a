// Kind "hdf5": datasets of each type, storage and filter, and errors.
#include <algorithm>
#include <filesystem>
#include <limits>
#include <numeric>
#include <thread>

#include <gmock/gmock.h>

#include "tests/data/data_files.h"
#include "tests/data/kinds/hdf5_file.h"
#include "tests/data/kinds/open_kind.h"
#include "tests/data/read_source.h"

namespace hansa::learning {
namespace {

using testing::all_of;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::Hdf5File;
using ::testing::IsEmpty;
using testing::read_inputs;
using testing::read_targets;
using testing::refusal_of;
using testing::try_open_kind;

class Hdf5Source : public ::testing::Test {
 protected:
  Hdf5Source() {
    config_.kind = "hdf5";
    config_.file = folder_ / "data.h5";
    config_.columns = {"x"};
    config_.label = "label";
  }
  static void write_labels(Hdf5File& file, std::vector<std::int32_t> labels = {2, 0}) {
    file.write("label", H5T_STD_I16BE, {labels.size()}, H5T_NATIVE_INT32, labels);
  }
  // Two examples of one value, which has type `stored` in the file.
  template <class T>
  std::vector<T> read_as(hid_t stored, hid_t memory_type, const std::vector<std::int64_t>& values,
                         ElementType type) {
    {
      Hdf5File file(config_.file);
      file.write("x", stored, {2, 1}, memory_type, values);
      write_labels(file);
    }
    const auto source = try_open_kind(config_);
    if (!source) {
      ADD_FAILURE() << source.error().text();
      return {};
    }
    EXPECT_EQ((*source)->shape().inputs[0].type, type);
    return read_inputs<T>(**source, {0, 1});
  }
  // The error if x has this type, space and storage and no value is written.
  Error refusal_of_input(hid_t type, const std::vector<hsize_t>& shape,
                         hid_t properties = Hdf5File::no_properties()) {
    {
      Hdf5File file(config_.file);
      H5Dclose(file.create("x", type, shape, properties));
      write_labels(file);
    }
    return refusal_of(config_);
  }

  TemporaryFolder folder_;
  DataConfig config_;
};

TEST_F(Hdf5Source, DatasetsAreInputsNamedAfterTheEndOfTheirPaths) {
  {
    Hdf5File file(config_.file);
    file.write<float>("train/image", H5T_IEEE_F64BE, {2, 2}, H5T_NATIVE_FLOAT, {1, 2, 3, -0.5});
    file.write<std::int32_t>("train/age", H5T_STD_U8LE, {2}, H5T_NATIVE_INT32, {7, 255});
    write_labels(file);
  }
  config_.columns = {"/train/image", "train/age"};
  config_.label = "/label";
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ(text_of((*source)->shape().inputs), "`image`: float32 [2], `age`: float32 []");
  EXPECT_EQ(text_of((*source)->shape().targets), "`y`: int64 []");
  EXPECT_EQ((*source)->shape().targets[0].class_count, 3);
  EXPECT_THAT(read_inputs(**source, {1, 0}), ElementsAre(3, -0.5, 1, 2));
  const std::vector<std::uint32_t> indices{0, 1};
  EXPECT_THAT(read_tensor<float>(**source, 1, indices).value(), ElementsAre(7, 255));
  EXPECT_THAT(read_targets<std::int64_t>(**source, {0, 1}), ElementsAre(2, 0));
  EXPECT_EQ((*source)->location(), config_.file.string());
}

TEST_F(Hdf5Source, EachTypeOfNumbersIsRead) {
  constexpr auto real = ElementType::float32;
  const hid_t memory = H5T_NATIVE_INT64;
  for (const hid_t type :
       {H5T_IEEE_F32LE, H5T_IEEE_F32BE, H5T_IEEE_F64LE, H5T_STD_I8LE, H5T_STD_I16BE, H5T_STD_I16LE})
    EXPECT_THAT(read_as<float>(type, memory, {-3, 5}, real), ElementsAre(-3, 5));
  for (const hid_t type : {H5T_STD_U8LE, H5T_STD_U16BE})
    EXPECT_THAT(read_as<float>(type, memory, {200, 5}, real), ElementsAre(200, 5));
  EXPECT_THAT(read_as<std::int32_t>(H5T_STD_I32BE, memory, {-3, 5}, ElementType::int32), ElementsAre(-3, 5));
  for (const hid_t type : {H5T_STD_U32BE, H5T_STD_I64BE, H5T_STD_U64LE})
    EXPECT_THAT(read_as<std::int64_t>(type, memory, {3'000'000'000, 5}, ElementType::int64),
                ElementsAre(3'000'000'000, 5));
}

TEST_F(Hdf5Source, BooleansOfH5pyAndOfPyTablesAreRead) {
  const hid_t boolean = Hdf5File::boolean();
  {
    Hdf5File file(config_.file);
    file.write<std::int8_t>("x", boolean, {2, 2}, boolean, {1, 0, 0, 1});
    file.write<std::int8_t>("flag", H5T_STD_B8LE, {2}, H5T_NATIVE_B8, {0, 1});
    write_labels(file);
  }
  H5Tclose(boolean);
  config_.columns = {"x", "flag"};
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ(text_of((*source)->shape().inputs), "`x`: boolean [2], `flag`: boolean []");
  EXPECT_THAT(read_inputs<std::uint8_t>(**source, {0, 1}), ElementsAre(1, 0, 0, 1));
}

TEST_F(Hdf5Source, ChunksAndFiltersReadTheSame) {
  std::vector<float> values(50 * 6);
  std::iota(values.begin(), values.end(), 0.0F);
  std::vector<std::int32_t> labels(50);
  for (int filter = 0; filter < 5; ++filter) {
    SCOPED_TRACE(filter);
    {
      Hdf5File file(config_.file);
      const hid_t properties = Hdf5File::chunked({7, 2, 2});
      if (filter == 2) H5Pset_shuffle(properties);
      if (filter == 1 || filter == 2) H5Pset_deflate(properties, 9);
      if (filter == 3) H5Pset_fletcher32(properties);
      if (filter == 4) H5Pset_nbit(properties);
      file.write("x", H5T_IEEE_F32LE, {50, 3, 2}, H5T_NATIVE_FLOAT, values, properties);
      write_labels(file, labels);
    }
    const auto source = try_open_kind(config_);
    ASSERT_TRUE(source) << source.error().text();
    EXPECT_EQ(read_inputs(**source, all_of(**source)), values);
  }
}

TEST_F(Hdf5Source, ExamplesMaxBoundsWhatIsReadIntoMemory) {
  std::vector<float> values(50 * 6);
  std::iota(values.begin(), values.end(), 0.0F);
  {
    Hdf5File file(config_.file);
    file.write("x", H5T_IEEE_F32LE, {50, 6}, H5T_NATIVE_FLOAT, values, Hdf5File::chunked({7, 6}));
    write_labels(file, std::vector<std::int32_t>(50));
  }
  config_.examples_max = 9;
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ((*source)->example_count(), 9U);
  EXPECT_EQ((*source)->memory_bytes(), 9U * 6 * 4 + 9 * 2);
  EXPECT_THAT(read_inputs(**source, {8}), ElementsAre(48, 49, 50, 51, 52, 53));
}

TEST_F(Hdf5Source, ADatasetOfSeveralStepsIsReadWhole) {
  constexpr std::size_t count = 3'000'000;  // 24 MB, more than is read at once
  std::vector<std::int64_t> values(count);
  std::iota(values.begin(), values.end(), 0);
  {
    Hdf5File file(config_.file);
    file.write("x", H5T_NATIVE_INT64, {count}, H5T_NATIVE_INT64, values, Hdf5File::chunked({70'000}));
    write_labels(file, std::vector<std::int32_t>(count));
  }
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  EXPECT_EQ(read_inputs<std::int64_t>(**source, all_of(**source)), values);
}

TEST_F(Hdf5Source, FloatsAreRealTargets) {
  {
    Hdf5File file(config_.file);
    file.write<float>("x", H5T_IEEE_F32LE, {2}, H5T_NATIVE_FLOAT, {1, 2});
    file.write<float>("label", H5T_IEEE_F32LE, {2}, H5T_NATIVE_FLOAT, {0.5, 2});
  }
  EXPECT_THAT(read_targets<float>(*try_open_kind(config_).value(), {0, 1}), ElementsAre(0.5, 2));
}

TEST_F(Hdf5Source, TheFileIsNotNeededAfterItWasOpened) {
  read_as<float>(H5T_IEEE_F32LE, H5T_NATIVE_INT64, {1, 2}, ElementType::float32);
  const auto source = try_open_kind(config_);
  ASSERT_TRUE(source) << source.error().text();
  std::filesystem::remove(config_.file);
  EXPECT_THAT(read_inputs(**source, {1}), ElementsAre(2));
}

TEST_F(Hdf5Source, ThreadsOpenConcurrently) {
  read_as<float>(H5T_IEEE_F32LE, H5T_NATIVE_INT64, {1, 2}, ElementType::float32);
  std::vector<std::jthread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&] {
      for (int j = 0; j < 20; ++j)
        if (const auto source = try_open_kind(config_); !source) ADD_FAILURE() << source.error().text();
    });
}

TEST_F(Hdf5Source, InvalidValuesAreRefusedNamingTheExample) {
  {
    Hdf5File file(config_.file);
    file.write<double>("x", H5T_IEEE_F64LE, {2}, H5T_NATIVE_DOUBLE,
                       {1, std::numeric_limits<double>::quiet_NaN()});
    file.write<double>("huge", H5T_IEEE_F64LE, {2}, H5T_NATIVE_DOUBLE, {1e300, 1});
    file.write<double>("ok", H5T_IEEE_F64LE, {2}, H5T_NATIVE_DOUBLE, {1, 1});
    write_labels(file, {1, -5});
  }
  EXPECT_EQ(refusal_of(config_).location, config_.file.string() + ": example 1");
  config_.columns = {"huge"};
  EXPECT_EQ(refusal_of(config_).location, config_.file.string() + ": example 0");
  config_.columns = {"ok"};
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("label -5"));
}

TEST_F(Hdf5Source, AMissingDatasetIsRefusedNamingThoseOfTheFile) {
  {
    Hdf5File file(config_.file);
    file.write<float>("train/x", H5T_IEEE_F32LE, {2}, H5T_NATIVE_FLOAT, {1, 2});
    write_labels(file);
  }
  Error error = refusal_of(config_);
  EXPECT_THAT(error.what, HasSubstr("no dataset \"x\" ("));
  EXPECT_THAT(error.hint, HasSubstr("\"label\", \"train/x\""));
  EXPECT_EQ(error.reason.code, ReasonCode::column_missing);
  config_.columns = {"train"};  // a group
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("no dataset \"train\""));
}

TEST_F(Hdf5Source, DatasetsThatAreNoNumbersAreRefused) {
  const hid_t text = H5Tcopy(H5T_C_S1);
  H5Tset_size(text, H5T_VARIABLE);
  EXPECT_THAT(refusal_of_input(text, {2}).what, HasSubstr("holds text"));
  H5Tclose(text);
  const hid_t record = H5Tcreate(H5T_COMPOUND, 8);
  H5Tinsert(record, "a", 0, H5T_NATIVE_FLOAT);
  EXPECT_THAT(refusal_of_input(record, {2}).what, HasSubstr("records"));
  H5Tclose(record);
  const hid_t colors = H5Tenum_create(H5T_STD_I8LE);
  const std::int8_t red = 0;
  H5Tenum_insert(colors, "RED", &red);
  EXPECT_THAT(refusal_of_input(colors, {2}).what, HasSubstr("enumeration"));
  H5Tclose(colors);
  EXPECT_THAT(refusal_of_input(H5T_STD_B16LE, {2}).what, HasSubstr("not numbers"));
}

TEST_F(Hdf5Source, ArraysThatAreNoExamplesAreRefused) {
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {}).what, HasSubstr("without dimensions"));
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {3}).what, HasSubstr("3 examples in x, but 2 in y"));
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {2, 0}).what, HasSubstr("without a value"));
}

TEST_F(Hdf5Source, MoreValuesThanAreStoredAreRefusedBeforeMemoryIsAllocated) {
  const hid_t one = Hdf5File::chunked({1024});
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {1ULL << 31}, one).what, HasSubstr("than it stores"));
  const hid_t large = Hdf5File::chunked({2, 200'000'000});
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {2, 1ULL << 61}, large).what, HasSubstr("than it stores"));
  // A chunk that is much larger than the values in it.
  const hid_t chunk = Hdf5File::chunked({500'000'000});
  const hsize_t unlimited = H5S_UNLIMITED;
  {
    Hdf5File file(config_.file);
    const hsize_t two = 2;
    const hid_t space = H5Screate_simple(1, &two, &unlimited);
    H5Dclose(H5Dcreate2(file.id(), "x", H5T_IEEE_F32LE, space, H5P_DEFAULT, chunk, H5P_DEFAULT));
    H5Sclose(space);
    H5Pclose(chunk);
    write_labels(file);
  }
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("than it stores"));
}

TEST_F(Hdf5Source, ValuesInOtherFilesAreRefused) {
  testing::write_bytes(folder_ / "raw", std::vector<std::uint8_t>(8));
  const hid_t external = Hdf5File::no_properties();
  H5Pset_external(external, (folder_ / "raw").c_str(), 0, 8);
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {2}, external).what, HasSubstr("in other files"));

  const hid_t virtual_one = Hdf5File::no_properties();
  const hsize_t two = 2;
  const hid_t space = H5Screate_simple(1, &two, nullptr);
  H5Pset_virtual(virtual_one, space, (folder_ / "other.h5").c_str(), "x", space);
  H5Sclose(space);
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {2}, virtual_one).what, HasSubstr("in other files"));

  {
    Hdf5File other(folder_ / "other.h5");
    other.write<float>("x", H5T_IEEE_F32LE, {2}, H5T_NATIVE_FLOAT, {1, 2});
    Hdf5File file(config_.file);
    H5Lcreate_external((folder_ / "other.h5").c_str(), "/x", file.id(), "x", H5P_DEFAULT, H5P_DEFAULT);
    write_labels(file);
  }
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("no dataset \"x\""));
}

TEST_F(Hdf5Source, AMissingFilterIsRefusedNamingIt) {
  constexpr H5Z_filter_t unknown = 32'700;
  const hid_t properties = Hdf5File::chunked({2});
  H5Pset_filter(properties, unknown, H5Z_FLAG_OPTIONAL, 0, nullptr);
  EXPECT_THAT(refusal_of_input(H5T_IEEE_F32LE, {2}, properties).what, HasSubstr("filter 32700"));
}

TEST_F(Hdf5Source, ADamagedChunkIsRefusedWithTheMessageOfTheLibrary) {
  {
    Hdf5File file(config_.file);
    const hid_t properties = Hdf5File::chunked({2});
    H5Pset_fletcher32(properties);
    file.write<float>("x", H5T_IEEE_F32LE, {2}, H5T_NATIVE_FLOAT, {1.25, 2.5}, properties);
    write_labels(file);
  }
  std::vector<std::uint8_t> bytes = testing::read_bytes(config_.file);
  const std::vector<std::uint8_t> values{0, 0, 0xA0, 0x3F, 0, 0, 0x20, 0x40};
  const auto at = std::search(bytes.begin(), bytes.end(), values.begin(), values.end());
  ASSERT_NE(at, bytes.end());
  at[2] = 0xA1;
  testing::write_bytes(config_.file, bytes);
  ::testing::internal::CaptureStderr();
  const Error error = refusal_of(config_);
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), IsEmpty());
  EXPECT_THAT(error.what, HasSubstr("cannot be read ("));
  EXPECT_THAT(error.what, HasSubstr("Fletcher32"));
}

TEST_F(Hdf5Source, OtherFilesAreRefused) {
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("does not exist"));
  testing::write_text(config_.file, "a,b\n1,2\n");
  ::testing::internal::CaptureStderr();
  EXPECT_THAT(refusal_of(config_).what, HasSubstr("file signature not found"));
  EXPECT_THAT(::testing::internal::GetCapturedStderr(), IsEmpty());
}

TEST_F(Hdf5Source, EveryTruncationIsRefused) {
  read_as<float>(H5T_IEEE_F32LE, H5T_NATIVE_INT64, {1, 2}, ElementType::float32);
  const std::vector<std::uint8_t> whole = testing::read_bytes(config_.file);
  for (std::size_t size = 0; size < whole.size(); size += 7) {
    testing::write_bytes(config_.file, {whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)});
    EXPECT_EQ(refusal_of(config_).code, ErrorCode::data) << size;
  }
}

TEST_F(Hdf5Source, NamesThatNoTwoTensorsCanHaveAreRefused) {
  read_as<float>(H5T_IEEE_F32LE, H5T_NATIVE_INT64, {1, 2}, ElementType::float32);
  config_.columns = {"x", "/x"};
  EXPECT_EQ(refusal_of(config_).location, "data.columns");
  config_.columns = {"train/y"};
  EXPECT_EQ(refusal_of(config_).location, "data.columns");
  config_.columns = {"train/"};
  EXPECT_EQ(refusal_of(config_).location, "data.columns");
  config_.columns.assign(16, "x");
  EXPECT_EQ(refusal_of(config_).location, "data.columns");
  config_.columns.clear();
  EXPECT_EQ(refusal_of(config_).location, "data.columns");
}

}  // namespace
}  // namespace hansa::learning
