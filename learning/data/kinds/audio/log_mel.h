// The logarithm of a mel spectrogram.
//
//   n_fft  = 2 round(rate / 80)     25 ms, even; of 16000 Hz: 400
//   hop    = round(rate / 100)      10 ms; of 16000 Hz: 160; halves are rounded up
//   frames = 1 + floor((window - n_fft) / hop), without padding
//   P[k,t] = |sum over n of h[n] w[t hop + n] exp(-2 pi i k n / n_fft)|^2 for k = 0 to n_fft / 2,
//            with the periodic Hann window h[n] = 0.5 - 0.5 cos(2 pi n / n_fft)
//   mel(f) = 2595 log10(1 + f / 700)                                       (HTK)
//   c[0] to c[mels + 1]: frequencies whose mel are equally spaced from 0 to mel(rate / 2)
//   B[m,k] = max(0, min((f - c[m]) / (c[m+1] - c[m]), (c[m+2] - f) / (c[m+2] - c[m+1]))) with f = k rate / n_fft
//   out[m,t] = log(sum over k of B[m,k] P[k,t] + 1e-6)                     (natural logarithm)
//
// The same in torchaudio: log(MelSpectrogram(sample_rate=rate, n_fft=n_fft, hop_length=hop, n_mels=mels,
// center=False)(w) + 1e-6). A band that is narrower than the distance of two f may have none, and is log(1e-6)
// throughout.
#pragma once
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

namespace hansa::learning::kinds {

class LogMel {
 public:
  // window: samples, at least n_fft(rate). mels: at least 1.
  LogMel(std::uint32_t rate, std::size_t window, std::size_t mels);

  [[nodiscard]] static std::size_t n_fft(std::uint32_t rate) { return 2 * ((std::size_t{rate} + 40) / 80); }
  [[nodiscard]] static std::size_t hop(std::uint32_t rate) { return (std::size_t{rate} + 50) / 100; }
  [[nodiscard]] std::size_t mels() const { return bands_.size(); }
  [[nodiscard]] std::size_t frames() const { return frames_; }
  [[nodiscard]] std::uint64_t memory_bytes() const;

  // The memory of one thread that computes.
  class Workspace {
   public:
    explicit Workspace(const LogMel& of);
    ~Workspace();
    Workspace(const Workspace&) = delete;
    Workspace& operator=(const Workspace&) = delete;

   private:
    friend class LogMel;
    struct Transform;
    std::unique_ptr<Transform> transform_;
  };
  // samples: window of them. out: mels() x frames(), row by row.
  void compute(std::span<const float> samples, Workspace& workspace, std::span<float> out) const;

 private:
  struct Band {
    std::size_t first = 0;  // k of the first weight
    std::vector<float> weights;
  };
  std::size_t n_fft_;
  std::size_t hop_;
  std::size_t frames_;
  std::vector<float> hann_;
  std::vector<Band> bands_;
};

}  // namespace hansa::learning::kinds
