// Kind "cifar": the binary files of CIFAR-10 and CIFAR-100.
#include <algorithm>
#include <array>
#include <cassert>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "learning/data/internal/byte_stream.h"
#include "learning/data/kinds/cifar/record_layout.h"
#include "learning/data/kinds/openers.h"

namespace hansa::learning::kinds {
namespace {

using internal::ByteStream;

constexpr const char* file_hint =
    "set data.file to a .bin file of CIFAR, or to the folder with data_batch_1.bin and so on or train.bin";

// Records as they are in the files, so that a pixel is a byte in memory.
struct Records {
  CifarLayout layout = cifar_10;
  std::vector<std::uint8_t> bytes;
};

class CifarSource final : public DataSource {
 public:
  CifarSource(std::string location, Records records, std::size_t label)
      : location_(std::move(location)),
        records_(std::move(records)),
        label_(label),
        shape_(one_input({3, 32, 32}, class_target(records_.layout.class_counts.at(label)))) {}

  [[nodiscard]] std::uint64_t example_count() const override {
    return records_.bytes.size() / records_.layout.record_bytes();
  }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return records_.bytes.size(); }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    if (!tensors[0].empty()) read_images(indices, values_of<float>(tensors[0]));
    if (tensors[1].empty()) return {};
    const std::span<std::int64_t> labels = values_of<std::int64_t>(tensors[1]);
    for (std::size_t i = 0; i < indices.size(); ++i) labels[i] = record(indices[i])[label_];
    return {};
  }

 private:
  [[nodiscard]] const std::uint8_t* record(std::uint32_t index) const {
    return records_.bytes.data() + index * records_.layout.record_bytes();
  }
  void read_images(std::span<const std::uint32_t> indices, std::span<float> images) const {
    assert(images.size() == indices.size() * cifar_image_bytes);
    float* __restrict out = images.data();
    for (const std::uint32_t index : indices) {
      const std::uint8_t* __restrict in = record(index) + records_.layout.labels;
      // Division instead of multiplication by 1/255, so that the values equal those of Python's `/ 255`.
      for (std::size_t i = 0; i < cifar_image_bytes; ++i) out[i] = static_cast<float>(in[i]) / 255.0F;
      out += cifar_image_bytes;
    }
  }

  std::string location_;
  Records records_;
  std::size_t label_;  // position in a record
  ExampleShape shape_;
};

Result<std::vector<std::filesystem::path>> files_of_folder(const std::filesystem::path& folder) {
  std::vector<std::filesystem::path> batches;
  std::vector<std::filesystem::path> train;
  std::error_code error;
  for (std::filesystem::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    const std::string name = entry->path().filename().string();
    if (name == "train.bin") train.push_back(entry->path());
    if (name.starts_with("data_batch_") && name.ends_with(".bin")) batches.push_back(entry->path());
  }
  const auto bad = [&](const char* what, ReasonCode reason) {
    return fail(ErrorCode::data, folder.string(), what, file_hint, {reason, {}});
  };
  if (error) return bad("cannot be read", ReasonCode::data_unreadable);
  if (!batches.empty() && !train.empty())
    return bad("has files of CIFAR-10 and of CIFAR-100", ReasonCode::data_damaged);
  if (batches.empty()) batches = std::move(train);
  if (batches.empty()) return bad("has no data_batch_*.bin and no train.bin", ReasonCode::data_unreadable);
  std::ranges::sort(batches);
  return batches;
}

// Appends the records of a file. records_max is the largest number of records in total.
Result<void> append_file(const std::filesystem::path& file, std::uint64_t records_max, Records& out) {
  HANSA_TRY(ByteStream stream, ByteStream::open(file, file_hint));
  std::error_code error;
  const std::uint64_t bytes = std::filesystem::file_size(file, error);
  if (error) return stream.bad("cannot be read", "copy it to a local disk", ReasonCode::data_unreadable);
  const std::size_t record_bytes = out.layout.record_bytes();
  const std::uint64_t before = out.bytes.size() / record_bytes;
  const std::uint64_t count = std::min(bytes / record_bytes, records_max - before);
  constexpr std::uint64_t bytes_max = 1ULL << 32;
  if (count > bytes_max / record_bytes - before)
    return stream.bad("makes more than 4 GiB of examples", "set data.examples_max",
                      ReasonCode::data_too_large);
  out.bytes.resize(static_cast<std::size_t>((before + count) * record_bytes));
  HANSA_TRY_VOID(stream.read(std::span(out.bytes).subspan(before * record_bytes), "records"));
  // A gzipped file would be decompressed here, and hold more than its size says.
  if (count == bytes / record_bytes) {
    std::array<std::uint8_t, 1> more{};
    HANSA_TRY(const std::size_t n, stream.read_some(more));
    if (n > 0) return stream.bad("is gzipped", "unpack it");
  }
  for (std::uint64_t i = before; i < before + count; ++i)
    for (std::size_t label = 0; label < out.layout.labels; ++label)
      if (const unsigned value = out.bytes[i * record_bytes + label];
          value >= out.layout.class_counts.at(label))
        return fail(ErrorCode::data, file.string() + ": example " + std::to_string(i - before),
                    "has the label " + std::to_string(value) + ", and labels are below " +
                        std::to_string(out.layout.class_counts.at(label)),
                    "name a file of the binary version of CIFAR, unpacked",
                    {ReasonCode::example_invalid, {{Quantity::example, i - before}}});
  return {};
}

Result<Records> read_records(const std::vector<std::filesystem::path>& files, std::uint64_t examples_max) {
  Records out;
  HANSA_TRY(out.layout, find_cifar_layout(files.front()));
  const std::uint64_t records_max = examples_max > 0 ? examples_max : ~0ULL;
  for (const std::filesystem::path& file : files) {
    HANSA_TRY(const CifarLayout layout, find_cifar_layout(file));
    if (layout != out.layout)
      return fail(ErrorCode::data, file.string(),
                  "has records of another size than " + files.front().string(),
                  "keep CIFAR-10 and CIFAR-100 in folders of their own", {ReasonCode::data_damaged, {}});
    HANSA_TRY_VOID(append_file(file, records_max, out));
  }
  return out;
}

// The position of the label in a record.
Result<std::size_t> label_position(const std::string& label, const CifarLayout& layout) {
  if (label != "" && label != "fine" && label != "coarse")
    return fail(ErrorCode::usage, "data.label", "is \"" + label + "\"", "set it to \"fine\" or \"coarse\"");
  if (layout == cifar_10 && label == "coarse")
    return fail(ErrorCode::usage, "data.label", "is \"coarse\", and CIFAR-10 has one label for each image",
                "remove it");
  return label == "coarse" ? 0 : layout.labels - 1;
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_cifar(const DataConfig& config) {
  std::vector<std::filesystem::path> files{config.file};
  std::error_code error;
  if (std::filesystem::is_directory(config.file, error)) {
    HANSA_TRY(files, files_of_folder(config.file));
  }
  HANSA_TRY(Records records, read_records(files, config.examples_max));
  HANSA_TRY(const std::size_t label, label_position(config.label, records.layout));
  return std::make_unique<CifarSource>(config.file.string(), std::move(records), label);
}

}  // namespace hansa::learning::kinds
