#include "learning/data/kinds/tokens/tokenizer.h"

namespace hansa::learning::kinds {
namespace {

class ByteTokenizer final : public Tokenizer {
 public:
  [[nodiscard]] std::int64_t vocabulary_size() const override { return 256; }
  [[nodiscard]] Result<void> encode(std::string_view part, std::vector<int>& tokens) override {
    tokens.clear();
    for (const char c : part) tokens.push_back(static_cast<unsigned char>(c));
    return {};
  }
};

}  // namespace

std::unique_ptr<Tokenizer> byte_tokenizer() { return std::make_unique<ByteTokenizer>(); }

}  // namespace hansa::learning::kinds
