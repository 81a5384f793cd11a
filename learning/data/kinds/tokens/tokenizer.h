// Text to tokens, for the kind "tokens".
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string_view>
#include <vector>

#include "common/error.h"

namespace hansa::learning::kinds {

// One thread at a time.
class Tokenizer {
 public:
  virtual ~Tokenizer() = default;
  [[nodiscard]] virtual std::int64_t vocabulary_size() const = 0;
  // Replaces `tokens` by those of this part of a text: 0 to vocabulary_size() - 1 each.
  [[nodiscard]] virtual Result<void> encode(std::string_view part, std::vector<int>& tokens) = 0;
};

// Each byte is a token.
[[nodiscard]] std::unique_ptr<Tokenizer> byte_tokenizer();

// Reads a SentencePiece model (Kudo and Richardson, EMNLP 2018) of at most 64 MiB. Fails (data) if the file is none;
// fails (usage), naming the package, in a build without the library.
[[nodiscard]] Result<std::unique_ptr<Tokenizer>> open_sentencepiece(const std::filesystem::path& file);

}  // namespace hansa::learning::kinds
