#include "learning/data/kinds/tokens/sentencepiece_module.h"

#include <cstring>
#include <exception>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <sentencepiece_processor.h>

namespace {

using sentencepiece::SentencePieceProcessor;
namespace util = sentencepiece::util;

// What the library throws, as a status: it throws for lack of memory and for some damaged models.
template <class Work>
util::Status guarded(Work work) {
  try {
    return work();
  } catch (const std::exception& caught) {
    return {util::StatusCode::kInternal, caught.what()};
  }
}

void report(std::string_view text, char* error, std::size_t error_size) {
  const std::size_t n = std::min(text.size(), error_size - 1);
  std::memcpy(error, text.data(), n);
  error[n] = '\0';
}

void* open(const char* model, std::size_t bytes, char* error, std::size_t error_size) {
  auto processor = std::make_unique<SentencePieceProcessor>();
  const util::Status status = guarded([&] { return processor->LoadFromSerializedProto({model, bytes}); });
  if (status.ok() && processor->GetPieceSize() > 0) return processor.release();
  report(status.message(), error, error_size);
  return nullptr;
}

std::int64_t vocabulary_size(const void* self) {
  return static_cast<const SentencePieceProcessor*>(self)->GetPieceSize();
}

int encode(const void* self, const char* text, std::size_t bytes,
           void (*take)(void*, const int*, std::size_t), void* context, char* error, std::size_t error_size) {
  std::vector<int> tokens;
  const util::Status status = guarded([&] {
    return static_cast<const SentencePieceProcessor*>(self)->Encode({text, bytes}, &tokens);
  });
  if (status.ok()) {
    take(context, tokens.data(), tokens.size());
    return 0;
  }
  report(status.message(), error, error_size);
  return -1;
}

void close(void* self) { delete static_cast<SentencePieceProcessor*>(self); }

}  // namespace

extern "C" const hansa_sentencepiece* hansa_sentencepiece_entry() {
  static constexpr hansa_sentencepiece functions{HANSA_SENTENCEPIECE_VERSION, &open, &vocabulary_size,
                                                 &encode, &close};
  return &functions;
}
