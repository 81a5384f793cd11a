#include "learning/data/internal/text_source.h"

#include <algorithm>
#include <array>
#include <utility>

#include "learning/data/internal/byte_stream.h"

namespace hansa::learning::internal {
namespace {

constexpr std::size_t text_bytes_max = std::size_t{1} << 30;

std::uint8_t character_index(std::uint8_t byte) {
  if (byte == '\n') return 0;
  return byte >= ' ' && byte <= '~' ? static_cast<std::uint8_t>(byte - ' ' + 1) : 1;
}

// The characters of a text in UTF-8, whatever its line ends.
class Alphabet {
 public:
  void add(std::span<const std::uint8_t> bytes, std::vector<std::uint8_t>& text) {
    for (const std::uint8_t byte : bytes) {
      const bool after_cr = std::exchange(after_cr_, byte == '\r');
      if (byte == '\n' && after_cr) continue;  // CRLF is one line end
      if ((byte & 0xC0) == 0x80) continue;  // a character of several bytes is one
      text.push_back(byte == '\r' ? character_index('\n') : character_index(byte));
    }
  }

 private:
  bool after_cr_ = false;
};

std::span<const std::uint8_t> without_mark(std::span<const std::uint8_t> start) {
  constexpr std::array<std::uint8_t, 3> byte_order_mark{0xEF, 0xBB, 0xBF};
  return std::ranges::equal(start.first(std::min(start.size(), byte_order_mark.size())), byte_order_mark)
             ? start.subspan(byte_order_mark.size())
             : start;
}

class TextSource final : public DataSource {
 public:
  TextSource(const DataConfig& config, std::vector<std::uint8_t> text)
      : location_(config.file.string()),
        window_(config.window),
        stride_(config.stride),
        text_(std::move(text)) {
    count_ = (text_.size() - window_ - 1) / stride_ + 1;
    if (config.examples_max > 0) count_ = std::min(count_, config.examples_max);
    shape_.inputs = {{"x", ElementType::int64, {static_cast<std::int64_t>(window_)}, 0}};
    shape_.targets = {class_target(text_class_count)};
  }

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] std::uint64_t memory_bytes() const override { return text_.size(); }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    std::int64_t* input = values_of<std::int64_t>(tensors[0]).data();
    std::int64_t* target = values_of<std::int64_t>(tensors[1]).data();
    for (const std::uint32_t index : indices) {
      const std::uint8_t* text = text_.data() + std::size_t{index} * stride_;
      if (!tensors[0].empty()) input = std::copy_n(text, window_, input);
      if (!tensors[1].empty()) *target++ = text[window_];
    }
    return {};
  }

 private:
  std::string location_;
  std::size_t window_;
  std::size_t stride_;
  std::vector<std::uint8_t> text_;  // as indices into the alphabet
  std::uint64_t count_ = 0;
  ExampleShape shape_;
};

}  // namespace

Result<std::unique_ptr<DataSource>> open_text_source(const DataConfig& config) {
  HANSA_TRY(ByteStream stream, ByteStream::open(config.file, "set data.file to a text file, plain or .gz"));
  HANSA_TRY_VOID(stream.require_text());
  Alphabet alphabet;
  bool is_first = true;
  std::vector<std::uint8_t> text;
  std::array<std::uint8_t, 1 << 16> buffer{};
  for (;;) {
    HANSA_TRY(const std::size_t n, stream.read_some(buffer));
    if (n == 0) break;
    if (text.size() + n > text_bytes_max)
      return stream.bad("is larger than 1 GiB", "split it", ReasonCode::data_too_large);
    const std::span<const std::uint8_t> read = std::span(buffer).first(n);
    alphabet.add(is_first ? without_mark(read) : read, text);
    is_first = false;
  }
  if (text.size() <= config.window)
    return stream.bad("has " + std::to_string(text.size()) + " characters, but an example takes " +
                          std::to_string(std::uint64_t{config.window} + 1),
                      "lower data.window, or give this client a longer text", ReasonCode::too_few_examples);
  return std::make_unique<TextSource>(config, std::move(text));
}

}  // namespace hansa::learning::internal
