// Decodes a file of sound: WAV, FLAC and what else libsndfile reads.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <span>
#include <vector>

#include "learning/data/kinds/open_files.h"

namespace hansa::learning::kinds {

struct SoundFormat {
  std::uint32_t rate = 0;  // Hz
  std::uint32_t channels = 0;
  std::uint64_t samples = 0;  // of each channel, at least 1, as the file claims
  friend bool operator==(const SoundFormat&, const SoundFormat&) = default;
};

// One thread at a time; several of them may read one file. Errors have code data.
class SoundFile {
 public:
  // File `index` of files, which outlive it; path names it in errors. Reads its header only.
  [[nodiscard]] static Result<SoundFile> open(const OpenFiles& files, std::size_t index,
                                              const std::filesystem::path& path);
  SoundFile(SoundFile&&) noexcept;
  SoundFile& operator=(SoundFile&&) = delete;
  ~SoundFile();

  [[nodiscard]] const SoundFormat& format() const { return format_; }
  // Writes the samples from `first` on, the mean of the channels, to out. Integers become -1 to 1. Fails if there are
  // fewer samples than the file claims, or one is not finite.
  [[nodiscard]] Result<void> read(std::uint64_t first, std::span<float> out);

 private:
  struct Decoder;
  explicit SoundFile(std::unique_ptr<Decoder> decoder);
  [[nodiscard]] tl::unexpected<Error> damaged(std::uint64_t sample) const;

  std::unique_ptr<Decoder> decoder_;
  SoundFormat format_;
};

}  // namespace hansa::learning::kinds
