// hansa-bench-data: how fast data is read, and whether decoding keeps up with training.
//
// It makes its own files: JPEG images of 640 x 480 pixels with the detail of a photo, and a CSV file. One thread reads.
// The epochs on the images and on the same examples in memory alternate.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <filesystem>
#include <fstream>
#include <memory>
#include <numeric>
#include <string>
#include <vector>

#include <CLI/CLI.hpp>
#include <fmt/format.h>
#include <stdlib.h>
#include <turbojpeg.h>

#include "common/random.h"
#include "learning/data/dense_source.h"
#include "learning/data_supply.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"

namespace hansa {
namespace {

namespace fs = std::filesystem;

struct Options {
  std::string model = "mobilenet-small";
  std::uint32_t images = 384;
  std::uint32_t size = 96;
  std::uint32_t csv_rows = 200'000;
  int turns = 5;
  fs::path folder;  // for the files
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

template <class Function>
Result<double> seconds_of(const Function& function) {
  const auto start = std::chrono::steady_clock::now();
  HANSA_TRY_VOID(function());
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
}

Result<void> write_image(const fs::path& path, Random& random) {
  constexpr int width = 640, height = 480;
  std::vector<unsigned char> pixels;
  const double phase = 6 * random.uniform(), waves = 0.01 + 0.05 * random.uniform();
  for (int y = 0; y < height; ++y)
    for (int x = 0; x < width; ++x)
      for (int c = 0; c < 3; ++c)
        pixels.push_back(static_cast<unsigned char>(110 + 70 * std::sin(waves * (x + c * y) + phase) +
                                                    static_cast<double>(random.below(40))));
  tjhandle encoder = ::tjInitCompress();
  unsigned char* jpeg = nullptr;
  unsigned long bytes = 0;
  const int done =
      ::tjCompress2(encoder, pixels.data(), width, 0, height, TJPF_RGB, &jpeg, &bytes, TJSAMP_420, 85, 0);
  std::ofstream(path, std::ios::binary)
      .write(reinterpret_cast<const char*>(jpeg), static_cast<std::streamsize>(bytes));
  ::tjFree(jpeg);
  ::tjDestroy(encoder);
  if (done == 0) return {};
  return fail(ErrorCode::internal, path.string(), "cannot be encoded");
}

Result<learning::DataConfig> write_images(const Options& options) {
  learning::DataConfig out;
  out.kind = "images";
  out.class_folders = options.folder / "images";
  out.size = options.size;
  Random random(1);
  for (std::uint32_t i = 0; i < options.images; ++i) {
    const fs::path folder = out.class_folders / std::to_string(i % 10);
    fs::create_directories(folder);
    HANSA_TRY_VOID(write_image(folder / fmt::format("{:05}.jpg", i), random));
  }
  return out;
}

learning::DataConfig write_csv(const Options& options) {
  learning::DataConfig out;
  out.kind = "csv";
  out.file = options.folder / "rows.csv";
  out.label = "label";
  std::ofstream file(out.file);
  for (int column = 0; column < 20; ++column) file << "c" << column << ",";
  file << "label\n";
  Random random(2);
  for (std::uint32_t row = 0; row < options.csv_rows; ++row) {
    std::string line;
    for (int column = 0; column < 20; ++column) line += fmt::format("{:.5f},", 100 * random.normal());
    file << line << row % 10 << "\n";
  }
  return out;
}

// Images a second: the better of two passes, because the first one reads the files from the disk.
Result<double> images_per_s(const learning::DataSource& source) {
  constexpr std::size_t batch = 32;
  std::vector<std::uint32_t> order(source.example_count());
  std::iota(order.begin(), order.end(), 0U);
  double best = 0;
  for (int pass = 0; pass < 2; ++pass) {
    HANSA_TRY(const double seconds, seconds_of([&]() -> Result<void> {
                for (std::size_t begin = 0; begin < order.size(); begin += batch)
                  HANSA_TRY_VOID(learning::read_tensor<float>(
                      source, 0, std::span(order).subspan(begin, std::min(batch, order.size() - begin))));
                return {};
              }));
    best = std::max(best, static_cast<double>(order.size()) / seconds);
  }
  return best;
}

Result<std::unique_ptr<learning::Trainer>> trainer_on(std::shared_ptr<const learning::DataSource> source) {
  learning::LocalTrainerConfig config;
  config.supply = learning::supply_data(std::move(source));
  return learning::make_local_trainer(config);
}

// The time of an epoch on the images, divided by that on the same values in memory: 1 if decoding never makes training wait.
Result<double> ratio_to_memory(const Options& options, std::shared_ptr<const learning::DataSource> images) {
  const fs::path archive = options.folder / "model.pt";
  HANSA_TRY_VOID(learning::create_built_in(options.model, 1, archive));
  HANSA_TRY(const auto model, learning::describe_archive(archive));
  HANSA_TRY(learning::Examples copied, learning::copy_of(*images));
  HANSA_TRY(const auto decoded, trainer_on(std::move(images)));
  HANSA_TRY(const auto in_memory,
            trainer_on(std::make_shared<learning::DenseSource>("memory", std::move(copied))));
  learning::TrainingRequest request{archive, model.layout.digest(),
                                    sgd_method({.batch_size = 32, .learning_rate = 0.01})};
  std::vector<float> delta(model.parameters.size());
  std::vector<double> ratios;
  for (int turn = -1; turn < options.turns; ++turn) {
    std::vector<double> seconds;
    for (learning::Trainer* trainer : {decoded.get(), in_memory.get()}) {
      HANSA_TRY(const auto trained, train_on(*trainer, request, model.parameters, delta));
      seconds.push_back(trained.train_seconds);
    }
    if (turn >= 0) ratios.push_back(seconds[0] / seconds[1]);
    if (turn < 0)
      fmt::print("{}: {:.0f} images/s are trained on from memory\n", options.model,
                 options.images / seconds[1]);
  }
  return median(std::move(ratios));
}

Result<void> measure(const Options& options) {
  HANSA_TRY(const learning::DataConfig images, write_images(options));
  HANSA_TRY(std::shared_ptr<const learning::DataSource> source, learning::open_examples(images));
  HANSA_TRY(const double images_s, images_per_s(*source));
  fmt::print("JPEG 640 x 480, decoded and resized to {0} x {0}, one thread\n", options.size);
  fmt::print("figure: data/images_per_s {:.0f} images/s\n", images_s);

  const learning::DataConfig csv = write_csv(options);
  std::vector<double> speeds;
  for (int turn = 0; turn < options.turns; ++turn) {
    HANSA_TRY(const double seconds, seconds_of([&]() -> Result<void> {
                HANSA_TRY_VOID(learning::open_examples(csv));
                return {};
              }));
    speeds.push_back(static_cast<double>(fs::file_size(csv.file)) / 1e6 / seconds);
  }
  fmt::print("figure: data/csv_mb_per_s {:.0f} MB/s\n", median(std::move(speeds)));

  HANSA_TRY(const double ratio, ratio_to_memory(options, std::move(source)));
  fmt::print("figure: data/images_over_memory {:.3f} ratio\n", ratio);
  return {};
}

}  // namespace
}  // namespace hansa

int main(int argc, char** argv) {
  CLI::App app(
      "Measures how fast images and CSV files are read, and whether decoding keeps up with training");
  hansa::Options options;
  app.add_option("--model", options.model, "built-in model for images")->capture_default_str();
  app.add_option("--images", options.images, "JPEG files")->capture_default_str();
  app.add_option("--size", options.size, "height and width that the model receives")->capture_default_str();
  app.add_option("--csv-rows", options.csv_rows, "rows of 20 columns")->capture_default_str();
  app.add_option("--turns", options.turns, "of each measurement")->capture_default_str();
  CLI11_PARSE(app, argc, argv);

  std::string folder = (std::filesystem::temp_directory_path() / "hansa-bench-XXXXXX").string();
  if (::mkdtemp(folder.data()) == nullptr) {
    fmt::print(stderr, "hansa-bench-data: {} cannot be created\n", folder);
    return 1;
  }
  options.folder = folder;
  const auto measured = hansa::measure(options);
  std::error_code ignored;
  std::filesystem::remove_all(folder, ignored);
  if (measured) return 0;
  fmt::print(stderr, "hansa-bench-data: {}\n", measured.error().text());
  return hansa::exit_code(measured.error().code);
}
