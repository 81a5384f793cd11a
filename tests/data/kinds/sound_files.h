// Small files of sound.
#pragma once
#include <cmath>
#include <filesystem>
#include <numbers>
#include <stdexcept>
#include <vector>

#include <sndfile.h>

namespace hansa::learning::testing {

struct Sound {
  std::vector<float> values;  // the channels of a sample side by side
  int rate = 16'000;
  int channels = 1;
  int format = SF_FORMAT_WAV | SF_FORMAT_PCM_16;
};

inline void write_sound(const std::filesystem::path& path, const Sound& sound) {
  SF_INFO info{};
  info.samplerate = sound.rate;
  info.channels = sound.channels;
  info.format = sound.format;
  std::filesystem::create_directories(path.parent_path());
  SNDFILE* file = sf_open(path.c_str(), SFM_WRITE, &info);
  if (file == nullptr) throw std::runtime_error(sf_strerror(nullptr));
  sf_command(file, SFC_SET_CLIPPING, nullptr, SF_TRUE);
  const auto count = static_cast<sf_count_t>(sound.values.size());
  const sf_count_t written = sf_write_float(file, sound.values.data(), count);
  sf_close(file);
  if (written != count) throw std::runtime_error("sound was not written");
}

// Samples whose values show their position: sample i is (start + i) / 32768, which 16 bits hold exactly.
[[nodiscard]] inline std::vector<float> ramp(std::size_t count, int start = 0) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(static_cast<float>(start + static_cast<int>(i)) / 32'768.0F);
  return out;
}

[[nodiscard]] inline std::vector<float> tone(std::size_t count, double hertz, double rate) {
  std::vector<float> out;
  for (std::size_t i = 0; i < count; ++i)
    out.push_back(
        static_cast<float>(0.5 * std::sin(2 * std::numbers::pi * hertz * static_cast<double>(i) / rate)));
  return out;
}

}  // namespace hansa::learning::testing
