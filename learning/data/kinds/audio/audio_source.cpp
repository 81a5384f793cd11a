// Kind "audio": windows of files of sound, each with the class of its file. The input x is float32, [1, window] samples
// or a [1, mels, frames] spectrogram (log_mel.h).
//
// Only the headers are read when the data is opened, so that long recordings take no memory; the files stay open
// (open_files.h), and a window is decoded when it is read.
#include <algorithm>
#include <array>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "learning/data/kinds/audio/log_mel.h"
#include "learning/data/kinds/audio/sound_file.h"
#include "learning/data/kinds/audio/sound_windows.h"
#include "learning/data/kinds/labelled_files.h"
#include "learning/data/kinds/openers.h"
#include "learning/data/left_out.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::uint64_t file_bytes_max = std::uint64_t{4} << 30;
constexpr std::uint64_t memory_bytes_max = std::uint64_t{4} << 30;
constexpr std::uint32_t mel_rate_least = 1'000;
constexpr std::uint64_t examples_max = (std::uint64_t{1} << 32) - 1;

class AudioSource final : public DataSource {
 public:
  AudioSource(const DataConfig& config, LabelledFiles files)
      : location_((config.class_folders.empty() ? config.file : config.class_folders).string()),
        most_(config.examples_max),
        window_(config.window),
        rate_(config.rate),
        is_rate_set_(config.rate != 0),
        files_(std::move(files)),
        windows_(config.window, config.stride),
        left_out_(damaged_files_allowed(config.damaged_max, files_.files.size())) {}

  // Opens the files, and reads their headers.
  Result<void> open(const DataConfig& config) {
    std::vector<LabelledFile> usable;
    for (std::size_t i = 0; i < files_.files.size() && windows_.size() < example_limit(); ++i) {
      HANSA_TRY(const bool is_usable, open_file(files_.files[i]));
      if (is_usable) usable.push_back(std::move(files_.files[i]));
    }
    files_.files = std::move(usable);
    count_ = std::min(windows_.size(), example_limit());
    if (windows_.size() > examples_max && most_ == 0)
      return fail(ErrorCode::data, location_, "has more than 4,294,967,295 windows", "raise data.stride",
                  {ReasonCode::data_too_large, {}});
    TensorSpec input{"x", ElementType::float32, {1, static_cast<std::int64_t>(window_)}, 0};
    if (config.features == AudioFeatures::log_mel) {
      if (rate_ < mel_rate_least)
        return fail(ErrorCode::usage, "data.features",
                    "is \"log-mel\", which takes recordings of at least 1,000 Hz, but these have " +
                        std::to_string(rate_) + " Hz",
                    "use features = \"wave\"");
      if (const std::size_t least = LogMel::n_fft(rate_); window_ < least)
        return fail(ErrorCode::usage, "data.window",
                    "is " + std::to_string(window_) + ", but log-mel takes at least 25 ms, " +
                        std::to_string(least) + " samples at " + std::to_string(rate_) + " Hz",
                    "raise it");
      mel_.emplace(rate_, window_, config.mels);
      input.shape = {1, static_cast<std::int64_t>(mel_->mels()), static_cast<std::int64_t>(mel_->frames())};
    }
    shape_.inputs = {std::move(input)};
    shape_.targets = {class_target(files_.class_count)};
    return {};
  }

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] DataDescription description() const override {
    DataDescription out = describe(shape_);
    out.classes = files_.classes;
    out.preparation = std::to_string(rate_) + " Hz, " + (mel_ ? "log-mel" : "wave");
    return out;
  }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    std::uint64_t out = opened_.memory_bytes() + windows_.memory_bytes() + (mel_ ? mel_->memory_bytes() : 0);
    for (const LabelledFile& file : files_.files)
      out += sizeof file + file.path.native().size() + file.name.size();
    return out;
  }
  [[nodiscard]] std::string location() const override { return location_; }
  [[nodiscard]] bool decodes() const override { return true; }
  [[nodiscard]] std::vector<Error> left_out() const override { return left_out_.errors(); }
  [[nodiscard]] std::uint64_t damaged_files_max() const override { return left_out_.room(); }
  [[nodiscard]] std::optional<Digest> identity(std::uint32_t index) const override {
    // Windows of one recording have too much in common to be on both sides.
    return sha256(files_.files[windows_[index].file].name);
  }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    if (!tensors[1].empty())
      std::ranges::transform(indices, values_of<std::int64_t>(tensors[1]).begin(),
                             [&](std::uint32_t index) { return files_.files[windows_[index].file].label; });
    if (tensors[0].empty()) return {};
    const std::span<float> out = values_of<float>(tensors[0]);
    const std::size_t elements = shape_.inputs[0].elements();
    std::optional<LogMel::Workspace> workspace;
    if (mel_) workspace.emplace(*mel_);
    std::vector<float> samples(window_);
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const std::span<float> to = out.subspan(i * elements, elements);
      if (auto done = read_samples(indices[i], mel_ ? std::span(samples) : to); !done) {
        done.error().reason = {ReasonCode::example_invalid, {{Quantity::example, indices[i]}}};
        return done;
      }
      if (mel_) mel_->compute(samples, *workspace, to);
    }
    return {};
  }

 private:
  [[nodiscard]] std::uint64_t example_limit() const { return most_ == 0 ? examples_max + 1 : most_; }

  // False: it is damaged, and left out.
  Result<bool> open_file(const LabelledFile& named) {
    const std::filesystem::path& path = named.path;
    HANSA_TRY_VOID(opened_.add(path, file_bytes_max));
    if (opened_.memory_bytes() > memory_bytes_max)
      return fail(
          ErrorCode::resource, location_,
          "has more files than this process may keep open, and the others take more than 4 GiB of memory",
          "raise the limit of open files (ulimit -Hn), set data.examples_max, or join files into longer ones",
          {ReasonCode::data_too_large, {}});
    auto checked = check(path);
    if (!checked) {
      if (checked.error().reason.code != ReasonCode::data_damaged)
        return tl::unexpected<Error>(std::move(checked.error()));
      HANSA_TRY_VOID(left_out_.add(std::move(checked.error())));
      opened_.remove_last();
      return false;
    }
    const SoundFormat format = *checked;
    if (rate_ == 0) {
      rate_ = format.rate;
      first_name_ = named.name;
    }
    if (format.rate != rate_)
      return fail(ErrorCode::data, path.string(),
                  "has " + std::to_string(format.rate) + " Hz, but " +
                      (is_rate_set_ ? "data.rate is " : "the first file, " + first_name_ + ", has ") +
                      std::to_string(rate_),
                  "convert it: ffmpeg -i IN -ar " + std::to_string(rate_) + " OUT, or sox IN -r " +
                      std::to_string(rate_) + " OUT" +
                      (is_rate_set_ ? "" : "; and set data.rate, the same on all clients"),
                  {ReasonCode::example_invalid, {{Quantity::example, windows_.size()}}});
    windows_.add_file(format.samples);
    formats_.push_back(format);
    return true;
  }

  // Reads the header of the file that was opened last. Of files before the first one that can be decoded, the first window is
  // decoded too, so that a format that cannot be read is noticed now, and not in the middle of a training.
  Result<SoundFormat> check(const std::filesystem::path& path) const {
    HANSA_TRY(SoundFile file, SoundFile::open(opened_, opened_.size() - 1, path));
    if (!formats_.empty()) return file.format();
    std::vector<float> samples(std::min<std::uint64_t>(window_, file.format().samples));
    HANSA_TRY_VOID(file.read(0, samples));
    return file.format();
  }

  // A file that is shorter than the window is followed by zeros.
  Result<void> read_samples(std::uint32_t index, std::span<float> out) const {
    const SoundWindows::Window window = windows_[index];
    const std::filesystem::path& path = files_.files[window.file].path;
    HANSA_TRY(SoundFile file, SoundFile::open(opened_, window.file, path));
    if (file.format() != formats_[window.file])
      return fail(ErrorCode::data, path.string(), "was changed while it was in use",
                  "replace files instead of writing into them", {ReasonCode::data_damaged, {}});
    const std::size_t filled = std::min<std::uint64_t>(window_, file.format().samples - window.first);
    std::ranges::fill(out.subspan(filled), 0.0F);
    return file.read(window.first, out.first(filled));
  }

  std::string location_;
  std::uint64_t most_;
  std::size_t window_;
  std::uint32_t rate_;
  bool is_rate_set_;
  LabelledFiles files_;
  OpenFiles opened_;
  SoundWindows windows_;
  LeftOut left_out_;
  std::string first_name_;  // of the file that decided the rate
  std::vector<SoundFormat> formats_;
  std::uint64_t count_ = 0;
  std::optional<LogMel> mel_;
  ExampleShape shape_;
};

}  // namespace

Result<std::unique_ptr<DataSource>> open_audio(const DataConfig& config) {
  HANSA_TRY(LabelledFiles files, find_labelled_files(config));
  auto source = std::make_unique<AudioSource>(config, std::move(files));
  HANSA_TRY_VOID(source->open(config));
  return source;
}

}  // namespace hansa::learning::kinds
