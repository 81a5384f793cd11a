// Large records of an archive that is open are parts of a mapping, and give the values that copies give.
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <vector>

#include <fcntl.h>
#include <gmock/gmock.h>
#include <torch/script.h>

#include "learning/internal/archive_records.h"
#include "learning/internal/loaded_model.h"
#include "tests/learning/hostile_archives.h"
#include "tests/temporary_folder.h"

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;
using torch::jit::Module;

constexpr std::int64_t columns = 300'000;

class ArchiveRecordsTest : public ::testing::Test {
 protected:
  ArchiveRecordsTest() {
    Module module("m");
    module.register_attribute("training", c10::BoolType::get(), true);
    module.register_parameter("weight", at::arange(columns, at::kFloat).sin().requires_grad_(true), false);
    module.register_parameter("frozen", at::arange(columns, at::kFloat).cos(), false);
    module.register_parameter("small", at::ones({3}).requires_grad_(true), false);
    module.define("def forward(self, x):\n    return x * self.weight * self.frozen * self.small.sum()\n");
    module.save(path_.string());
  }
  [[nodiscard]] ArchiveFile open() const {
    return {path_, Descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC)), "the archive"};
  }
  [[nodiscard]] std::string bytes() const {
    std::ifstream file(path_, std::ios::binary);
    return {std::istreambuf_iterator<char>(file), {}};
  }
  void compress() const {
    const std::filesystem::path other = folder_ / "other.pt";
    {
      caffe2::serialize::PyTorchStreamReader reader(path_.string());
      caffe2::serialize::PyTorchStreamWriter writer(other.string());
      for (const std::string& name : reader.getAllRecords()) {
        if (name == "version" || name == "byteorder" || name.starts_with(".data/"))
          continue;  // the writer adds them
        const std::string record = testing::record_of(path_, name);
        writer.writeRecord(name, record.data(), record.size(), /*compress=*/true);
      }
      writer.writeEndOfFile();
    }
    std::filesystem::rename(other, path_);
  }
  static std::vector<float> values_of(const ArchiveFile& archive) {
    auto model = LoadedModel::open(archive, {});
    if (!model) throw std::runtime_error(model.error().text());
    std::vector<float> out(model->layout().element_count());
    model->extract(out);
    const at::Tensor frozen = model->module().attr("frozen").toTensor();
    out.insert(out.end(), frozen.data_ptr<float>(), frozen.data_ptr<float>() + frozen.numel());
    return out;
  }

  const TemporaryFolder folder_;
  const std::filesystem::path path_ = folder_ / "model.pt";
};

TEST_F(ArchiveRecordsTest, LargeOnesAreMappedAndGiveTheSameValues) {
  EXPECT_EQ(values_of(open()), values_of(path_));
  ArchiveRecords records(open());
  std::uint64_t large = 0;
  for (const char* name : {"data/0", "data/1", "data/2", "constants.pkl"})
    if (const auto record = records.read(name); record.bytes > 1'000'000) large += record.bytes;
  EXPECT_EQ(large, 2 * columns * sizeof(float));
  EXPECT_EQ(records.mapped_bytes(), large);
  ArchiveRecords copied(path_);
  (void)copied.read("data/0");
  EXPECT_EQ(copied.mapped_bytes(), 0U);
}

TEST_F(ArchiveRecordsTest, WritingToAMappedTensorDoesNotChangeTheFile) {
  const std::string before = bytes();
  auto model = LoadedModel::open(open(), {});
  ASSERT_TRUE(model) << model.error().text();
  at::Tensor frozen = model->module().attr("frozen").toTensor();
  frozen.add_(1.0);
  EXPECT_NEAR(frozen[0].item<float>(), 2, 1e-6);
  EXPECT_EQ(bytes(), before);
}

TEST_F(ArchiveRecordsTest, CompressedRecordsAreCopied) {
  const std::vector<float> values = values_of(path_);
  compress();
  EXPECT_EQ(values_of(open()), values);
  ArchiveRecords records(open());
  EXPECT_EQ(records.read("data/0").bytes, columns * sizeof(float));
  EXPECT_EQ(records.mapped_bytes(), 0U);
}

// LibTorch believes what the archive says of the size, and would read behind the record.
TEST_F(ArchiveRecordsTest, ATensorThatIsLargerThanItsRecordIsRefused) {
  const std::string record = testing::record_of(path_, "data/0");
  const std::filesystem::path whole = folder_ / "whole.pt";
  std::filesystem::rename(path_, whole);
  for (const std::size_t size : {record.size() - sizeof(float), std::size_t{100}}) {
    testing::write_with_record(whole, "data/0", record.substr(0, size), path_);
    for (const ArchiveFile& archive : {open(), ArchiveFile(path_)}) {
      const auto model = LoadedModel::open(archive, {});
      ASSERT_FALSE(model);
      EXPECT_THAT(model.error().text(), HasSubstr("holds a tensor that is larger than its memory"));
    }
  }
}

}  // namespace
}  // namespace hansa::learning
