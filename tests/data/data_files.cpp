#include "tests/data/data_files.h"

#include <fstream>
#include <iterator>
#include <stdexcept>

#include <gtest/gtest.h>
#include <stdlib.h>
#include <zlib.h>

#include "common/random.h"
#include "learning/data/idx_file.h"

namespace hansa::learning::testing {

DataConfig write_data(const TemporaryFolder& folder, const DataShape& shape, std::uint64_t seed) {
  Random random(seed);
  IdxArray images{{shape.examples, shape.rows, shape.columns}, {}};
  IdxArray labels{{shape.examples}, {}};
  for (std::uint32_t i = 0; i < shape.examples; ++i) {
    // Every class occurs, so that the largest label is classes - 1.
    const auto label = static_cast<std::uint8_t>(i % shape.classes);
    labels.values.push_back(label);
    for (std::uint32_t row = 0; row < shape.rows; ++row)
      for (std::uint32_t column = 0; column < shape.columns; ++column) {
        const std::uint64_t noise = random.below(100);
        images.values.push_back(
            static_cast<std::uint8_t>(row % shape.classes == label ? 155 + noise : noise));
      }
  }
  const std::string stem = "data-" + std::to_string(seed);
  DataConfig config;
  config.images = folder / (stem + "-images");
  config.labels = folder / (stem + "-labels");
  if (!write_idx(config.images, images) || !write_idx(config.labels, labels))
    throw std::runtime_error("cannot write test data");
  return config;
}

void write_text(const std::filesystem::path& path, const std::string& text) {
  write_bytes(path, {text.begin(), text.end()});
}

void write_bytes(const std::filesystem::path& path, const std::vector<std::uint8_t>& bytes) {
  std::ofstream out(path, std::ios::binary);
  out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

std::vector<std::uint8_t> read_bytes(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

std::vector<std::uint8_t> gzipped(const std::vector<std::uint8_t>& bytes) {
  z_stream stream{};
  constexpr int gzip_window = 15 + 16;
  if (deflateInit2(&stream, Z_BEST_SPEED, Z_DEFLATED, gzip_window, 8, Z_DEFAULT_STRATEGY) != Z_OK)
    throw std::runtime_error("zlib does not start");
  std::vector<std::uint8_t> out(deflateBound(&stream, static_cast<uLong>(bytes.size())));
  stream.next_in = const_cast<Bytef*>(bytes.data());
  stream.avail_in = static_cast<uInt>(bytes.size());
  stream.next_out = out.data();
  stream.avail_out = static_cast<uInt>(out.size());
  deflate(&stream, Z_FINISH);
  out.resize(stream.total_out);
  deflateEnd(&stream);
  return out;
}

}  // namespace hansa::learning::testing
