#include <algorithm>
#include <array>
#include <optional>
#include <utility>

#include "learning/data/kinds/images/augment.h"
#include "learning/data/kinds/images/decode.h"
#include "learning/data/kinds/images/resize.h"
#include "learning/data/kinds/labelled_files.h"
#include "learning/data/kinds/open_files.h"
#include "learning/data/kinds/openers.h"
#include "learning/data/left_out.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::uint64_t file_bytes_max = std::uint64_t{256} << 20U;

class ImagesSource final : public DataSource {
 public:
  ImagesSource(const DataConfig& config, LabelledFiles files, OpenFiles opened, LeftOut left_out)
      : location_((config.class_folders.empty() ? config.file : config.class_folders).string()),
        size_(config.size),
        color_(config.color),
        augmentation_(augmentation_of(config.augment)),
        files_(std::move(files)),
        opened_(std::move(opened)),
        left_out_(std::move(left_out)) {
    const auto side = static_cast<std::int64_t>(size_);
    shape_ = one_input({color_ == Color::grey ? 1 : 3, side, side}, class_target(files_.class_count));
  }

  [[nodiscard]] std::uint64_t example_count() const override { return files_.files.size(); }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] DataDescription description() const override {
    DataDescription out = describe(shape_);
    out.classes = files_.classes;
    return out;
  }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    std::uint64_t out = opened_.memory_bytes();
    for (const LabelledFile& file : files_.files)
      out += sizeof file + file.name.size() + file.path.native().size();
    return out;
  }
  [[nodiscard]] std::string location() const override { return location_; }
  [[nodiscard]] bool decodes() const override { return true; }
  [[nodiscard]] std::vector<Error> left_out() const override { return left_out_.errors(); }
  [[nodiscard]] std::uint64_t damaged_files_max() const override { return left_out_.room(); }
  // A file is known by its name and its size, so that not all images are decoded to choose some.
  [[nodiscard]] std::optional<Digest> identity(std::uint32_t index) const override {
    Sha256 hash;
    hash.update(std::as_bytes(std::span(files_.files[index].name)));
    const std::uint64_t bytes = opened_.file_bytes(index);
    hash.update(std::as_bytes(std::span(&bytes, 1)));
    return hash.finish();
  }
  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    return read_all(indices, tensors, std::nullopt);
  }
  [[nodiscard]] Result<void> read_augmented(std::span<const std::uint32_t> indices,
                                            std::span<const TensorBytes> tensors,
                                            std::uint64_t seed) const override {
    return read_all(indices, tensors, augmentation_.is_none() ? std::nullopt : std::optional(seed));
  }

 private:
  Result<void> read_all(std::span<const std::uint32_t> indices, std::span<const TensorBytes> tensors,
                        std::optional<std::uint64_t> seed) const {
    const std::size_t values = shape_.inputs[0].elements();
    for (std::size_t i = 0; i < indices.size(); ++i) {
      if (!tensors[0].empty())
        HANSA_TRY_VOID(
            read_image(indices[i], learning::values_of<float>(tensors[0]).subspan(i * values, values), seed));
      if (!tensors[1].empty())
        learning::values_of<std::int64_t>(tensors[1])[i] = files_.files[indices[i]].label;
    }
    return {};
  }

  Result<void> read_image(std::uint32_t index, std::span<float> to, std::optional<std::uint64_t> seed) const {
    const LabelledFile& file = files_.files[index];
    HANSA_TRY(const std::vector<std::byte> bytes, opened_.read(index, file.path));
    auto decoded = decode_image(bytes, color_, size_, file.path.string());
    if (!decoded) {
      decoded.error().reason = {ReasonCode::example_invalid, {{Quantity::example, index}}};
      return tl::unexpected(std::move(decoded.error()));
    }
    if (!seed) {
      write(resize_and_crop(*decoded, size_), to);
      return {};
    }
    Random random(derive_seed(*seed, "augment", index));
    write(augmented_crop(*decoded, size_, augmentation_, random), to);
    if (augmentation_.jitter) jitter_colors(to, static_cast<std::size_t>(shape_.inputs[0].shape[0]), random);
    return {};
  }

  // From 0 to 255, the channels of a pixel side by side, to 0 to 1, one channel after the other.
  static void write(const Pixels& image, std::span<float> to) {
    const std::size_t pixels = image.width * image.height;
    for (std::size_t c = 0; c < image.channels; ++c)
      for (std::size_t i = 0; i < pixels; ++i)
        to[c * pixels + i] = static_cast<float>(image.values[i * image.channels + c]) / 255.0F;
  }

  std::string location_;
  std::size_t size_;
  Color color_;
  Augmentation augmentation_;
  LabelledFiles files_;
  OpenFiles opened_;
  LeftOut left_out_;
  ExampleShape shape_;
};

// Looks at the first bytes of the file. Of files before the first one that can be decoded, all are decoded, so that a folder
// of other files is noticed now, and not in the middle of a training.
Result<void> check(const OpenFiles& opened, std::size_t index, const LabelledFile& file,
                   const DataConfig& config) {
  std::array<std::byte, image_start_bytes> start{};
  HANSA_TRY(const std::size_t read, opened.read_part(index, 0, start, file.path));
  HANSA_TRY_VOID(check_start(std::span(start).first(read), file.path.string()));
  if (index > 0) return {};
  HANSA_TRY(const std::vector<std::byte> bytes, opened.read(index, file.path));
  HANSA_TRY_VOID(decode_image(bytes, config.color, config.size, file.path.string()));
  return {};
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_images(const DataConfig& config) {
  if (config.size == 0)
    return fail(ErrorCode::usage, "data.size", "is not set", "set the height and width that the model takes");
  HANSA_TRY(LabelledFiles files, find_labelled_files(config));
  OpenFiles opened;
  LeftOut left_out(damaged_files_allowed(config.damaged_max, files.files.size()));
  std::vector<LabelledFile> usable;
  for (LabelledFile& file : files.files) {
    HANSA_TRY_VOID(opened.add(file.path, file_bytes_max));
    if (auto checked = check(opened, usable.size(), file, config); !checked) {
      if (checked.error().reason.code != ReasonCode::data_damaged)
        return tl::unexpected<Error>(std::move(checked.error()));
      HANSA_TRY_VOID(left_out.add(std::move(checked.error())));
      opened.remove_last();
    } else {
      usable.push_back(std::move(file));
    }
  }
  files.files = std::move(usable);
  return std::make_unique<ImagesSource>(config, std::move(files), std::move(opened), std::move(left_out));
}

}  // namespace hansa::learning::kinds
