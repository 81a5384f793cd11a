// Kind "tokens": packed sequences of a causal language model. Example i has the tokens i * stride to i * stride +
// window - 1 of the file as the input x, and as the target y the token after each of them; both int64 [window].
//
// The file is encoded part by part (text_parts.h), without tokens for its start or end.
#include <algorithm>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "common/files.h"
#include "learning/data/internal/byte_stream.h"
#include "learning/data/kinds/openers.h"
#include "learning/data/kinds/tokens/text_parts.h"
#include "learning/data/kinds/tokens/tokenizer.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::size_t text_bytes_max = std::size_t{1} << 30;
constexpr std::size_t tokens_max = std::size_t{1} << 30;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

// In the smallest type that holds the vocabulary.
using Tokens = std::variant<std::vector<std::uint8_t>, std::vector<std::uint16_t>, std::vector<std::int32_t>>;

Tokens no_tokens(std::int64_t vocabulary) {
  if (vocabulary <= 1 << 8) return std::vector<std::uint8_t>();
  if (vocabulary <= 1 << 16) return std::vector<std::uint16_t>();
  return std::vector<std::int32_t>();
}

std::size_t count_of(const Tokens& tokens) {
  return std::visit([](const auto& all) { return all.size(); }, tokens);
}

class TokensSource final : public DataSource {
 public:
  TokensSource(const DataConfig& config, std::int64_t vocabulary, Tokens tokens, std::string tokenizer)
      : location_(config.file.string()),
        window_(config.window),
        stride_(config.stride),
        tokens_(std::move(tokens)),
        tokenizer_(std::move(tokenizer)) {
    count_ = (count_of(tokens_) - window_ - 1) / stride_ + 1;
    if (config.examples_max > 0) count_ = std::min(count_, config.examples_max);
    const auto window = static_cast<std::int64_t>(window_);
    shape_.inputs = {{"x", ElementType::int64, {window}, 0}};
    shape_.targets = {class_target(vocabulary, {window})};
  }

  [[nodiscard]] std::uint64_t example_count() const override { return count_; }
  [[nodiscard]] const ExampleShape& shape() const override { return shape_; }
  [[nodiscard]] DataDescription description() const override {
    DataDescription out = describe(shape_);
    out.preparation = tokenizer_;
    return out;
  }
  [[nodiscard]] std::uint64_t memory_bytes() const override {
    return std::visit([](const auto& all) { return all.size() * sizeof(all[0]); }, tokens_);
  }
  [[nodiscard]] std::string location() const override { return location_; }

  [[nodiscard]] Result<void> read(std::span<const std::uint32_t> indices,
                                  std::span<const TensorBytes> tensors) const override {
    std::int64_t* input = values_of<std::int64_t>(tensors[0]).data();
    std::int64_t* target = values_of<std::int64_t>(tensors[1]).data();
    std::visit(
        [&](const auto& all) {
          for (const std::uint32_t index : indices) {
            const auto* tokens = all.data() + std::size_t{index} * stride_;
            if (!tensors[0].empty()) input = std::copy_n(tokens, window_, input);
            if (!tensors[1].empty()) target = std::copy_n(tokens + 1, window_, target);
          }
        },
        tokens_);
    return {};
  }

 private:
  std::string location_;
  std::size_t window_;
  std::size_t stride_;
  Tokens tokens_;
  std::string tokenizer_;  // which one
  std::uint64_t count_ = 0;
  ExampleShape shape_;
};

// Encodes the complete parts of the text.
Result<void> encode(TextParts& parts, Tokenizer& tokenizer, const internal::ByteStream& file,
                    Tokens& tokens) {
  std::vector<int> part_tokens;
  for (std::string_view part = parts.next(); !part.empty(); part = parts.next()) {
    HANSA_TRY_VOID(tokenizer.encode(part, part_tokens));
    if (part_tokens.size() > tokens_max - count_of(tokens))
      return file.bad("has more than 1,073,741,824 tokens", "split it", ReasonCode::data_too_large);
    std::visit([&](auto& all) { all.insert(all.end(), part_tokens.begin(), part_tokens.end()); }, tokens);
  }
  return {};
}

Result<Tokens> read_tokens(internal::ByteStream& file, Tokenizer& tokenizer) {
  HANSA_TRY_VOID(file.require_text());
  Tokens tokens = no_tokens(tokenizer.vocabulary_size());
  TextParts parts;
  std::vector<std::uint8_t> buffer(1 << 16);
  std::size_t total = 0;
  for (;;) {
    HANSA_TRY(const std::size_t n, file.read_some(buffer));
    std::string_view piece(reinterpret_cast<const char*>(buffer.data()), n);
    if (n == 0) parts.end();
    // require_text() has read the start of the file: the first piece is not shorter than the mark.
    else if (total == 0 && piece.starts_with(byte_order_mark)) piece.remove_prefix(byte_order_mark.size());
    total += n;
    if (total > text_bytes_max)
      return file.bad("is larger than 1 GiB", "split it", ReasonCode::data_too_large);
    parts.add(piece);
    HANSA_TRY_VOID(encode(parts, tokenizer, file, tokens));
    if (n == 0) return tokens;
  }
}

}  // namespace

Result<std::unique_ptr<DataSource>> open_tokens(const DataConfig& config) {
  std::unique_ptr<Tokenizer> tokenizer = byte_tokenizer();
  std::string name = "tokens: bytes";
  if (!config.tokenizer.empty()) {
    HANSA_TRY(tokenizer, open_sentencepiece(config.tokenizer));
    HANSA_TRY(const Digest digest, digest_of_file(config.tokenizer));
    name = "tokens: SentencePiece model " + digest.text();
  }
  HANSA_TRY(auto file, internal::ByteStream::open(config.file, "set data.file to a text file, plain or .gz"));
  HANSA_TRY(Tokens tokens, read_tokens(file, *tokenizer));
  const std::size_t count = count_of(tokens);
  if (count <= config.window)
    return file.bad("has " + std::to_string(count) + " tokens, but an example takes " +
                        std::to_string(std::uint64_t{config.window} + 1),
                    "lower data.window, or give this client a longer text", ReasonCode::too_few_examples);
  return std::make_unique<TokensSource>(config, tokenizer->vocabulary_size(), std::move(tokens),
                                        std::move(name));
}

}  // namespace hansa::learning::kinds
