#include <exception>
#include <string>
#include <utility>

#include <sentencepiece_processor.h>

#include "common/text.h"
#include "learning/data/internal/byte_stream.h"
#include "learning/data/kinds/tokens/charsmap_check.h"
#include "learning/data/kinds/tokens/tokenizer.h"

namespace hansa::learning::kinds {
namespace {

using sentencepiece::SentencePieceProcessor;
namespace util = sentencepiece::util;

constexpr std::size_t model_bytes_max = std::size_t{64} << 20;

// What the library throws, as a status: it throws for lack of memory and for some damaged models.
template <class Work>
util::Status guarded(Work work) {
  try {
    return work();
  } catch (const std::exception& caught) {
    return {util::StatusCode::kInternal, caught.what()};
  }
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(std::string location, std::unique_ptr<SentencePieceProcessor> processor)
      : location_(std::move(location)), processor_(std::move(processor)) {}

  [[nodiscard]] std::int64_t vocabulary_size() const override { return processor_->GetPieceSize(); }

  [[nodiscard]] Result<void> encode(std::string_view part, std::vector<int>& tokens) override {
    const util::Status status = guarded([&] {
      return processor_->Encode({part.data(), part.size()}, &tokens);
    });
    if (!status.ok())
      return fail(ErrorCode::data, location_, "cannot encode the text (" + printable(status.message()) + ")",
                  "name another SentencePiece model", {ReasonCode::data_damaged, {}});
    for (const int token : tokens)
      if (token < 0 || token >= processor_->GetPieceSize())
        return fail(ErrorCode::data, location_, "gives a token that is not in its vocabulary",
                    "fetch or copy the file again", {ReasonCode::data_damaged, {}});
    return {};
  }

 private:
  std::string location_;
  std::unique_ptr<SentencePieceProcessor> processor_;
};

Result<std::string> read_model(internal::ByteStream& stream) {
  std::string out;
  std::vector<std::uint8_t> buffer(1 << 16);
  for (;;) {
    HANSA_TRY(const std::size_t n, stream.read_some(buffer));
    if (n == 0) return out;
    if (out.size() + n > model_bytes_max)
      return stream.bad("is larger than 64 MiB", "name a SentencePiece model", ReasonCode::data_too_large);
    out.append(buffer.begin(), buffer.begin() + static_cast<std::ptrdiff_t>(n));
  }
}

}  // namespace

Result<std::unique_ptr<Tokenizer>> open_sentencepiece(const std::filesystem::path& file) {
  HANSA_TRY(auto stream, internal::ByteStream::open(file, "set data.tokenizer to a SentencePiece model"));
  HANSA_TRY(const std::string model, read_model(stream));
  if (!has_valid_charsmap(model))
    return stream.bad("is no SentencePiece model, or a damaged one", "fetch or copy the file again");
  auto processor = std::make_unique<SentencePieceProcessor>();
  const util::Status status = guarded([&] { return processor->LoadFromSerializedProto(model); });
  if (!status.ok() || processor->GetPieceSize() < 1)
    return stream.bad("is no SentencePiece model, or a damaged one (" + printable(status.message()) + ")",
                      "name the .model file that spm_train writes, and fetch or copy it again");
  return std::make_unique<SentencePieceTokenizer>(file.string(), std::move(processor));
}

}  // namespace hansa::learning::kinds
