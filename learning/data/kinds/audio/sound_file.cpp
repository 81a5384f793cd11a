#include "learning/data/kinds/audio/sound_file.h"

#include <algorithm>
#include <cmath>
#include <cstdio>
#include <limits>
#include <mutex>
#include <string>
#include <utility>

#include <sndfile.h>

#include "common/text.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::uint32_t channels_max = 64;
constexpr std::uint64_t samples_max = std::uint64_t{1} << 40;
constexpr std::size_t block_values = 1 << 14;

// The file as libsndfile reads it.
struct Stream {
  const OpenFiles* files;
  std::size_t index;
  std::filesystem::path path;
  std::uint64_t offset = 0;

  static Stream& of(void* self) { return *static_cast<Stream*>(self); }
  [[nodiscard]] std::uint64_t bytes() const { return files->file_bytes(index); }

  static sf_count_t size(void* self) { return static_cast<sf_count_t>(of(self).bytes()); }
  static sf_count_t tell(void* self) { return static_cast<sf_count_t>(of(self).offset); }
  static sf_count_t write(const void* /*from*/, sf_count_t /*bytes*/, void* /*self*/) { return 0; }
  static sf_count_t seek(sf_count_t distance, int from, void* self) {
    const sf_count_t start = from == SEEK_SET ? 0 : from == SEEK_CUR ? tell(self) : size(self);
    sf_count_t offset = 0;
    if (__builtin_add_overflow(start, distance, &offset) || offset < 0) return -1;
    of(self).offset = static_cast<std::uint64_t>(offset);
    return offset;
  }
  // An error reads as the end of the file: then samples are missing.
  static sf_count_t read(void* to, sf_count_t bytes, void* self) {
    if (bytes <= 0) return 0;
    Stream& stream = of(self);
    const auto got =
        stream.files->read_part(stream.index, stream.offset,
                                {static_cast<std::byte*>(to), static_cast<std::size_t>(bytes)}, stream.path);
    if (!got) return 0;
    stream.offset += *got;
    return static_cast<sf_count_t>(*got);
  }
};

struct Close {
  void operator()(SNDFILE* file) const { sf_close(file); }
};

}  // namespace

struct SoundFile::Decoder {
  Stream stream;
  std::unique_ptr<SNDFILE, Close> file;
  std::uint64_t position = 0;  // of the next sample that it gives
  std::vector<float> block;
};

SoundFile::SoundFile(std::unique_ptr<Decoder> decoder) : decoder_(std::move(decoder)) {}
SoundFile::SoundFile(SoundFile&&) noexcept = default;
SoundFile::~SoundFile() = default;

Result<SoundFile> SoundFile::open(const OpenFiles& files, std::size_t index,
                                  const std::filesystem::path& path) {
  SoundFile out(std::make_unique<Decoder>(Decoder{{&files, index, path}, nullptr, 0, {}}));
  SF_VIRTUAL_IO calls{Stream::size, Stream::seek, Stream::read, Stream::write, Stream::tell};
  SF_INFO info{};
  std::string message;
  {
    // libsndfile keeps the last error of sf_open in a global variable.
    static std::mutex opening;
    const std::lock_guard lock(opening);
    out.decoder_->file.reset(sf_open_virtual(&calls, SFM_READ, &info, &out.decoder_->stream));
    if (!out.decoder_->file) message = sf_strerror(nullptr);
  }
  if (!out.decoder_->file)
    return fail(ErrorCode::data, path.string(),
                "is no sound that can be read (" + printable(trimmed(message, " .\n")) + ")",
                "name a WAV or FLAC file, or fetch or copy it again", {ReasonCode::data_damaged, {}});
  if (info.frames <= 0 || info.channels <= 0 || info.samplerate <= 0)
    return fail(ErrorCode::data, path.string(), "has no sample", "remove it", {ReasonCode::data_damaged, {}});
  out.format_ = {static_cast<std::uint32_t>(info.samplerate), static_cast<std::uint32_t>(info.channels),
                 static_cast<std::uint64_t>(info.frames)};
  if (out.format_.channels > channels_max || out.format_.samples > samples_max)
    return fail(ErrorCode::data, path.string(),
                "claims " + std::to_string(out.format_.channels) + " channels and " +
                    std::to_string(out.format_.samples) + " samples",
                "name a file with at most 64 channels that says how long it is",
                {ReasonCode::data_too_large, {}});
  return out;
}

tl::unexpected<Error> SoundFile::damaged(std::uint64_t sample) const {
  return fail(
      ErrorCode::data, decoder_->stream.path.string(),
      "cannot be decoded at sample " + std::to_string(sample) + " of " + std::to_string(format_.samples),
      "fetch or copy the file again", {ReasonCode::data_damaged, {}});
}

Result<void> SoundFile::read(std::uint64_t first, std::span<float> out) {
  Decoder& decoder = *decoder_;
  SNDFILE* file = decoder.file.get();
  if (first != decoder.position) {
    const auto target = static_cast<sf_count_t>(first);
    if (sf_seek(file, target, SEEK_SET) != target) return damaged(first);
    decoder.position = first;
  }
  const std::size_t channels = format_.channels;
  decoder.block.resize(block_values);
  while (!out.empty()) {
    const std::size_t wanted = std::min(out.size(), block_values / channels);
    const sf_count_t got = sf_readf_float(file, decoder.block.data(), static_cast<sf_count_t>(wanted));
    if (got <= 0) return damaged(decoder.position);
    const auto count = static_cast<std::size_t>(got);
    for (std::size_t i = 0; i < count; ++i) {
      float sum = 0;
      for (std::size_t c = 0; c < channels; ++c) sum += decoder.block[i * channels + c];
      out[i] = sum / static_cast<float>(channels);
      if (std::isfinite(out[i])) continue;
      return fail(ErrorCode::data, decoder.stream.path.string(),
                  "has a sample that is no number at " + std::to_string(decoder.position + i),
                  "repair or remove it", {ReasonCode::data_damaged, {}});
    }
    decoder.position += count;
    out = out.subspan(count);
  }
  return {};
}

}  // namespace hansa::learning::kinds
