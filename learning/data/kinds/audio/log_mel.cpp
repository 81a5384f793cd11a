#include "learning/data/kinds/audio/log_mel.h"

#include <algorithm>
#include <cmath>
#include <new>
#include <numbers>

#include <kiss_fftr.h>

namespace hansa::learning::kinds {
namespace {

constexpr float offset = 1e-6F;

double mel_of(double hertz) { return 2595 * std::log10(1 + hertz / 700); }
double hertz_of(double mel) { return 700 * (std::pow(10.0, mel / 2595) - 1); }

struct Free {
  void operator()(kiss_fftr_state* state) const { kiss_fftr_free(state); }
};

}  // namespace

struct LogMel::Workspace::Transform {
  std::unique_ptr<kiss_fftr_state, Free> state;
  std::vector<float> samples;  // of a frame, times the Hann window
  std::vector<kiss_fft_cpx> spectrum;
  std::vector<float> power;
};

LogMel::Workspace::Workspace(const LogMel& of) : transform_(std::make_unique<Transform>()) {
  transform_->state.reset(kiss_fftr_alloc(static_cast<int>(of.n_fft_), 0, nullptr, nullptr));
  if (!transform_->state) throw std::bad_alloc();
  transform_->samples.resize(of.n_fft_);
  transform_->spectrum.resize(of.n_fft_ / 2 + 1);
  transform_->power.resize(of.n_fft_ / 2 + 1);
}
LogMel::Workspace::~Workspace() = default;

LogMel::LogMel(std::uint32_t rate, std::size_t window, std::size_t mels)
    : n_fft_(n_fft(rate)), hop_(hop(rate)), frames_(1 + (window - n_fft_) / hop_) {
  for (std::size_t n = 0; n < n_fft_; ++n)
    hann_.push_back(static_cast<float>(
        0.5 - 0.5 * std::cos(2 * std::numbers::pi * static_cast<double>(n) / static_cast<double>(n_fft_))));
  std::vector<double> corners;
  const double step = mel_of(rate / 2.0) / static_cast<double>(mels + 1);
  for (std::size_t i = 0; i < mels + 2; ++i) corners.push_back(hertz_of(static_cast<double>(i) * step));
  for (std::size_t m = 0; m < mels; ++m) {
    Band& band = bands_.emplace_back();
    for (std::size_t k = 0; k <= n_fft_ / 2; ++k) {
      const double f = static_cast<double>(k) * rate / static_cast<double>(n_fft_);
      const double weight = std::min((f - corners[m]) / (corners[m + 1] - corners[m]),
                                     (corners[m + 2] - f) / (corners[m + 2] - corners[m + 1]));
      if (weight <= 0) continue;
      if (band.weights.empty()) band.first = k;
      band.weights.push_back(static_cast<float>(weight));
    }
  }
}

std::uint64_t LogMel::memory_bytes() const {
  std::uint64_t out = hann_.size() * sizeof(float);
  for (const Band& band : bands_) out += sizeof band + band.weights.size() * sizeof(float);
  return out;
}

void LogMel::compute(std::span<const float> samples, Workspace& workspace, std::span<float> out) const {
  Workspace::Transform& transform = *workspace.transform_;
  for (std::size_t t = 0; t < frames_; ++t) {
    for (std::size_t n = 0; n < n_fft_; ++n) transform.samples[n] = hann_[n] * samples[t * hop_ + n];
    kiss_fftr(transform.state.get(), transform.samples.data(), transform.spectrum.data());
    for (std::size_t k = 0; k < transform.power.size(); ++k) {
      const kiss_fft_cpx value = transform.spectrum[k];
      transform.power[k] = value.r * value.r + value.i * value.i;
    }
    for (std::size_t m = 0; m < bands_.size(); ++m) {
      float sum = 0;
      for (std::size_t i = 0; i < bands_[m].weights.size(); ++i)
        sum += bands_[m].weights[i] * transform.power[bands_[m].first + i];
      out[m * frames_ + t] = std::log(sum + offset);
    }
  }
}

}  // namespace hansa::learning::kinds
