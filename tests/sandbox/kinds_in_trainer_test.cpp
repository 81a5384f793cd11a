// Data of each kind in a locked trainer: what is read while a model is trained is read without opening a file.
#include <fstream>
#include <functional>

#include <gmock/gmock.h>
#include <SQLiteCpp/SQLiteCpp.h>
#include <torch/csrc/jit/serialization/pickle.h>
#include <torch/script.h>

#include "client/trainer/process_trainer.h"
#include "learning/data_supply.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#ifdef HANSA_HAS_IMAGES
#include "tests/data/kinds/image_files.h"
#endif
#include "tests/learning/archives.h"

namespace hansa::client {
namespace {

using ::testing::HasSubstr;
namespace lt = learning::testing;

constexpr std::uint32_t examples = 12;

class KindsInTrainer : public ::testing::Test {
 protected:
  std::filesystem::path data_folder() const {
    std::filesystem::create_directories(folder_ / "data");
    return folder_ / "data";
  }
  static learning::DataConfig config_for(const std::string& kind, const std::filesystem::path& file) {
    learning::DataConfig out;
    out.kind = kind;
    out.file = file;
    out.label = kind == "csv" || kind == "jsonl" || kind == "sqlite" ? "y" : "";
    return out;
  }
  static std::string number(std::uint32_t i) { return std::to_string(i * 7 % 5) + ".5"; }

  // Each has `examples` examples of three classes.
  learning::DataConfig csv() const {
    std::string text = "a,b,y\n";
    for (std::uint32_t i = 0; i < examples; ++i)
      text += number(i) + "," + number(i + 1) + "," + std::to_string(i % 3) + "\n";
    lt::write_text(data_folder() / "a.csv", text);
    return config_for("csv", data_folder() / "a.csv");
  }
  learning::DataConfig jsonl() const {
    std::string text;
    for (std::uint32_t i = 0; i < examples; ++i)
      text +=
          "{\"a\": " + number(i) + ", \"b\": " + number(i + 1) + ", \"y\": " + std::to_string(i % 3) + "}\n";
    lt::write_text(data_folder() / "a.jsonl", text);
    return config_for("jsonl", data_folder() / "a.jsonl");
  }
  learning::DataConfig sqlite() const {
    SQLite::Database database((data_folder() / "a.db").string(),
                              SQLite::OPEN_READWRITE | SQLite::OPEN_CREATE);
    database.exec("CREATE TABLE t (a, b, y)");
    for (std::uint32_t i = 0; i < examples; ++i)
      database.exec("INSERT INTO t VALUES (" + number(i) + "," + number(i + 1) + "," + std::to_string(i % 3) +
                    ")");
    learning::DataConfig out = config_for("sqlite", data_folder() / "a.db");
    out.query = "SELECT * FROM t";
    return out;
  }
  learning::DataConfig tensors() const {
    c10::Dict<std::string, at::Tensor> dict;
    constexpr std::int64_t rows = examples;
    dict.insert("x", at::arange(rows * 2, at::kFloat).reshape({rows, 2}) / 10);
    dict.insert("y", at::arange(rows, at::kLong).remainder(3));
    const std::vector<char> bytes = torch::jit::pickle_save(dict);
    lt::write_text(data_folder() / "a.pt", std::string(bytes.begin(), bytes.end()));
    return config_for("tensors", data_folder() / "a.pt");
  }
  // Format version 1.0: the length of the header is in two bytes.
  void write_npy(const std::filesystem::path& path, const std::string& type, const std::string& shape,
                 std::span<const std::byte> values) const {
    std::string header = "{'descr': '" + type + "', 'fortran_order': False, 'shape': (" + shape + "), }";
    header.resize(117, ' ');
    header += '\n';
    std::string text("\x93NUMPY\x01\x00\x76\x00", 10);
    text += header;
    text.append(reinterpret_cast<const char*>(values.data()), values.size());
    lt::write_text(path, text);
  }
  learning::DataConfig npy() const {
    std::vector<float> x;
    std::vector<std::uint8_t> y;
    for (std::uint32_t i = 0; i < examples; ++i) {
      x.insert(x.end(), {static_cast<float>(i) / 10, static_cast<float>(i % 4)});
      y.push_back(static_cast<std::uint8_t>(i % 3));
    }
    const std::string count = std::to_string(examples);
    write_npy(data_folder() / "x.npy", "<f4", count + ", 2", std::as_bytes(std::span(x)));
    write_npy(data_folder() / "y.npy", "|u1", count + ",", std::as_bytes(std::span(y)));
    learning::DataConfig out = config_for("npy", data_folder() / "x.npy");
    out.labels = data_folder() / "y.npy";
    return out;
  }
  // 16-bit WAV files.
  learning::DataConfig audio() const {
    for (std::uint32_t i = 0; i < examples; ++i) {
      const auto little_endian = [](std::uint32_t value, int bytes) {
        std::string out;
        for (int at = 0; at < bytes; ++at) out += static_cast<char>(value >> (8 * at) & 0xFFU);
        return out;
      };
      std::string samples;
      for (std::uint32_t s = 0; s < 16; ++s) samples += little_endian(1'000 * (i % 5) + 37 * s, 2);
      const std::string format = little_endian(1, 2) + little_endian(1, 2) + little_endian(8'000, 4) +
                                 little_endian(16'000, 4) + little_endian(2, 2) + little_endian(16, 2);
      const std::string body = "WAVEfmt " + little_endian(16, 4) + format + "data" +
                               little_endian(static_cast<std::uint32_t>(samples.size()), 4) + samples;
      const auto path = data_folder() / "sounds" / std::to_string(i % 3) / (std::to_string(i) + ".wav");
      std::filesystem::create_directories(path.parent_path());
      lt::write_text(path, "RIFF" + little_endian(static_cast<std::uint32_t>(body.size()), 4) + body);
    }
    learning::DataConfig out = config_for("audio", "");
    out.class_folders = data_folder() / "sounds";
    out.window = out.stride = 16;
    return out;
  }
#ifdef HANSA_HAS_IMAGES
  std::filesystem::path photo(std::uint32_t i) const {
    return data_folder() / "photos" / std::to_string(i % 3) /
           (std::to_string(i) + (i % 2 == 0 ? ".png" : ".jpg"));
  }
  learning::DataConfig images() const {
    for (std::uint32_t i = 0; i < examples; ++i) {
      std::filesystem::create_directories(photo(i).parent_path());
      if (i % 2 == 0) lt::write_png(photo(i), lt::pattern(8 + i, 9));
      else lt::write_jpeg(photo(i), lt::pattern(9, 8 + i), 6);
      if (i % 4 == 0) lt::add_png_orientation(photo(i), 8, lt::ExifPlace::behind_pixels);
    }
    learning::DataConfig out = config_for("images", "");
    out.class_folders = data_folder() / "photos";
    out.size = 8;
    out.augment = {"flip", "crop", "jitter"};
    return out;
  }
#endif

  struct Trained {
    std::vector<float> delta;
    learning::TrainingResult result;
  };
  Result<Trained> train(learning::Trainer& trainer, const std::filesystem::path& archive) const {
    learning::TrainingRequest request;
    request.archive = archive;
    HANSA_TRY(const auto model, learning::describe_archive(archive));
    request.layout = model.layout.digest();
    request.method = sgd_method({.epochs = 2, .batch_size = 5, .learning_rate = 0.05});
    request.seed = 11;
    Trained out;
    out.delta.resize(model.parameters.size());
    HANSA_TRY(out.result, learning::train_on(trainer, request, model.parameters, out.delta));
    return out;
  }
  std::filesystem::path model_for(const learning::DataSource& data) const {
    const auto path = folder_ / "model.pt";
    const auto features = static_cast<std::int64_t>(data.shape().inputs[0].elements());
    lt::write_archive(lt::TestModel::linear, path, {1, features});
    return path;
  }
  ProcessTrainerConfig config_of(const learning::DataConfig& data) const {
    ProcessTrainerConfig out;
    out.data = data;
    out.limits.memory_bytes_max = std::uint64_t{512} << 20;
    out.limits.stall = std::chrono::seconds(60);
    return out;
  }

  // The files are gone after the trainer has opened them, so that none can be opened.
  void expect_trained_without_files(const learning::DataConfig& data) {
    SCOPED_TRACE(data.kind);
    std::shared_ptr<const learning::DataSource> source = learning::open_examples(data).value();
    ASSERT_EQ(source->example_count(), examples);
    const auto archive = model_for(*source);
    learning::LocalTrainerConfig local;
    local.supply = learning::supply_data(source);
    const auto expected = train(*learning::make_local_trainer(local), archive);
    ASSERT_TRUE(expected) << expected.error().text();
    ProcessTrainer trainer(config_of(data), Logger());
    const auto available = trainer.available_data({});
    ASSERT_TRUE(available) << available.error().text();
    std::filesystem::remove_all(folder_ / "data");
    for (int i = 0; i < 2; ++i) {
      const auto trained = train(trainer, archive);
      ASSERT_TRUE(trained) << trained.error().text();
      EXPECT_EQ(trained->delta, expected->delta);
      EXPECT_EQ(trained->result.metrics, expected->result.metrics);
    }
  }

  TemporaryFolder folder_;
};

TEST_F(KindsInTrainer, RowsAreInMemory) {
  for (const auto& data : {csv(), jsonl(), sqlite()}) {
    // Each removes the files of all.
    std::ignore = csv();
    std::ignore = jsonl();
    std::filesystem::remove(data_folder() / "a.db");
    std::ignore = sqlite();
    expect_trained_without_files(data);
  }
}

TEST_F(KindsInTrainer, ArraysAreMapped) {
  expect_trained_without_files(tensors());
  if (learning::open_examples(npy())) expect_trained_without_files(npy());
}

TEST_F(KindsInTrainer, SoundsAreReadFromOpenFiles) {
  if (!learning::open_examples(audio())) GTEST_SKIP() << "built without audio";
  expect_trained_without_files(audio());
}

// A file that another program truncates is an error of the data, and the trainer does not crash.
TEST_F(KindsInTrainer, AMappedFileThatIsTruncatedIsAnError) {
  for (const bool is_npy : {false, true}) {
    const learning::DataConfig data = is_npy ? npy() : tensors();
    const auto source = learning::open_examples(data);
    if (!source) continue;
    const auto archive = model_for(**source);
    ProcessTrainer trainer(config_of(data), Logger());
    ASSERT_TRUE(trainer.available_data({}));
    std::filesystem::resize_file(data.file, 0);
    const auto trained = train(trainer, archive);
    ASSERT_FALSE(trained);
    EXPECT_EQ(trained.error().code, ErrorCode::data);
    EXPECT_THAT(trained.error().text(), HasSubstr("has become shorter since it was opened"));
  }
}

#ifdef HANSA_HAS_IMAGES
TEST_F(KindsInTrainer, ImagesAreReadFromOpenFiles) { expect_trained_without_files(images()); }

TEST_F(KindsInTrainer, ADamagedImageIsReplacedAndReportedWithTheResult) {
  learning::DataConfig data = images();
  std::filesystem::resize_file(photo(4), 60);
  data.damaged_max = 0.01;
  const auto source = learning::open_examples(data).value();
  ProcessTrainer trainer(config_of(data), Logger());
  const auto available = trainer.available_data({});
  ASSERT_TRUE(available) << available.error().text();
  EXPECT_EQ(available->examples, examples);
  EXPECT_TRUE(available->notes.empty()) << "the first bytes are right";
  const auto archive = model_for(*source);
  const auto trained = train(trainer, archive);
  ASSERT_TRUE(trained) << trained.error().text();
  EXPECT_EQ(trained->result.examples, examples);
  EXPECT_THAT(trained->result.note, HasSubstr("1 file is damaged and replaced by other examples: "));
  EXPECT_THAT(trained->result.note, HasSubstr("photos/1/4.png (is a damaged image"));
  const auto again = train(trainer, archive);
  ASSERT_TRUE(again) << again.error().text();
  EXPECT_EQ(again->delta, trained->delta);
}

TEST_F(KindsInTrainer, AFileThatIsNoImageIsReportedWhenTheDataIsOpened) {
  learning::DataConfig data = images();
  lt::write_text(photo(4), "no image");
  data.damaged_max = 0.01;
  ProcessTrainer trainer(config_of(data), Logger());
  const auto available = trainer.available_data({});
  ASSERT_TRUE(available) << available.error().text();
  EXPECT_EQ(available->examples, examples - 1);
  ASSERT_EQ(available->notes.size(), 1U);
  EXPECT_THAT(available->notes[0].text(), HasSubstr("1 file is damaged and left out: "));
  EXPECT_EQ(available->notes[0].reason.code, ReasonCode::record_skipped);
}
#endif

}  // namespace
}  // namespace hansa::client
