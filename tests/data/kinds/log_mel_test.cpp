#include "learning/data/kinds/audio/log_mel.h"

#include <cmath>
#include <complex>
#include <numbers>

#include <gmock/gmock.h>

#include "tests/data/kinds/sound_files.h"

namespace hansa::learning::kinds {
namespace {

using ::testing::FloatNear;
using ::testing::Pointwise;

std::vector<float> log_mel(const std::vector<float>& samples, std::uint32_t rate, std::size_t mels) {
  const LogMel mel(rate, samples.size(), mels);
  LogMel::Workspace workspace(mel);
  std::vector<float> out(mel.mels() * mel.frames());
  mel.compute(samples, workspace, out);
  return out;
}

// The formula of log_mel.h, term by term.
std::vector<float> by_definition(const std::vector<float>& w, double rate, std::size_t mels) {
  const auto n_fft = static_cast<std::size_t>(2 * std::floor(rate / 80 + 0.5));
  const auto hop = static_cast<std::size_t>(std::floor(rate / 100 + 0.5));
  const std::size_t frames = 1 + (w.size() - n_fft) / hop;
  const auto mel = [](double f) { return 2595 * std::log10(1 + f / 700); };
  const auto corner = [&](std::size_t i) {
    return 700 *
           (std::pow(10, mel(rate / 2) * static_cast<double>(i) / static_cast<double>(mels + 1) / 2595) - 1);
  };
  std::vector<float> out(mels * frames);
  for (std::size_t t = 0; t < frames; ++t) {
    std::vector<double> power;
    for (std::size_t k = 0; k <= n_fft / 2; ++k) {
      std::complex<double> sum = 0;
      for (std::size_t n = 0; n < n_fft; ++n) {
        const double turn = 2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(n_fft);
        sum += (0.5 - 0.5 * std::cos(turn)) * double{w[t * hop + n]} *
               std::polar(1.0, -turn * static_cast<double>(k));
      }
      power.push_back(std::norm(sum));
    }
    for (std::size_t m = 0; m < mels; ++m) {
      double sum = 0;
      for (std::size_t k = 0; k <= n_fft / 2; ++k) {
        const double f = static_cast<double>(k) * rate / static_cast<double>(n_fft);
        sum += power[k] * std::max(0.0, std::min((f - corner(m)) / (corner(m + 1) - corner(m)),
                                                 (corner(m + 2) - f) / (corner(m + 2) - corner(m + 1))));
      }
      out[m * frames + t] = static_cast<float>(std::log(sum + 1e-6));
    }
  }
  return out;
}

TEST(LogMel, FramesAre25MsEvery10Ms) {
  EXPECT_EQ(LogMel::n_fft(16'000), 400U);
  EXPECT_EQ(LogMel::hop(16'000), 160U);
  EXPECT_EQ(LogMel::n_fft(44'100), 1102U);
  EXPECT_EQ(LogMel::hop(22'050), 221U);
  EXPECT_EQ(LogMel(16'000, 16'000, 64).frames(), 98U);
  EXPECT_EQ(LogMel(16'000, 400, 64).frames(), 1U);
  EXPECT_EQ(LogMel(16'000, 559, 64).frames(), 1U);
  EXPECT_EQ(LogMel(16'000, 560, 64).frames(), 2U);
}

TEST(LogMel, IsTheFormulaOfItsHeader) {
  for (const std::uint32_t rate : {8'000U, 16'000U, 22'050U}) {
    std::vector<float> samples = testing::tone(rate / 10, 440, rate);
    const std::vector<float> other = testing::tone(rate / 10, 3'000, rate);
    for (std::size_t i = 0; i < samples.size(); ++i)
      samples[i] += 0.3F * other[i] + 0.01F * static_cast<float>((i * 7919) % 101) / 101;
    for (const std::size_t mels : {8U, 40U})
      EXPECT_THAT(log_mel(samples, rate, mels),
                  Pointwise(FloatNear(2e-3F), by_definition(samples, rate, mels)))
          << rate << " Hz, " << mels << " bands";
  }
}

TEST(LogMel, SilenceIsTheLogarithmOfTheOffset) {
  for (const float value : log_mel(std::vector<float>(800), 16'000, 16))
    EXPECT_FLOAT_EQ(value, std::log(1e-6F));
}

TEST(LogMel, ATonePeaksInTheBandOfItsFrequency) {
  const auto out = log_mel(testing::tone(1'600, 1'000, 16'000), 16'000, 40);
  const std::size_t frames = out.size() / 40;
  std::size_t loudest = 0;
  for (std::size_t m = 0; m < 40; ++m)
    if (out[m * frames] > out[loudest * frames]) loudest = m;
  // The centre of band m is (m + 1) / 41 of mel(8000) = 2840; mel(1000) = 1000.
  EXPECT_EQ(loudest, 13U);
}

}  // namespace
}  // namespace hansa::learning::kinds
