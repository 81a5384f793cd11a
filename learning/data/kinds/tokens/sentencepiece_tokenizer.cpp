#include <array>
#include <string>
#include <utility>

#include <dlfcn.h>

#include "common/program_files.h"
#include "common/text.h"
#include "learning/data/internal/byte_stream.h"
#include "learning/data/kinds/tokens/charsmap_check.h"
#include "learning/data/kinds/tokens/sentencepiece_module.h"
#include "learning/data/kinds/tokens/tokenizer.h"

namespace hansa::learning::kinds {
namespace {

constexpr std::size_t model_bytes_max = std::size_t{64} << 20;
constexpr const char* module_name = "libhansa_sentencepiece.so";
using ErrorText = std::array<char, 256>;

// Sanitizers cannot be used with RTLD_DEEPBIND; the tests that they run do not use LibTorch together with the module.
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
constexpr int load_flags = RTLD_NOW | RTLD_LOCAL;
#else
constexpr int load_flags = RTLD_NOW | RTLD_LOCAL | RTLD_DEEPBIND;
#endif

// Loaded once, in the program's folder or where it is installed, and never unloaded.
const hansa_sentencepiece* find_module() {
  static const hansa_sentencepiece* const found = []() -> const hansa_sentencepiece* {
    for (const auto& path : places_of_program_file(module_name)) {
      void* library = ::dlopen(path.c_str(), load_flags);
      if (library == nullptr) continue;
      const auto entry = reinterpret_cast<decltype(&hansa_sentencepiece_entry)>(
          ::dlsym(library, "hansa_sentencepiece_entry"));
      const hansa_sentencepiece* functions = entry == nullptr ? nullptr : entry();
      if (functions != nullptr && functions->version == HANSA_SENTENCEPIECE_VERSION) return functions;
    }
    return nullptr;
  }();
  return found;
}

class SentencePieceTokenizer final : public Tokenizer {
 public:
  SentencePieceTokenizer(std::string location, const hansa_sentencepiece& module, void* self)
      : location_(std::move(location)), module_(module), self_(self) {}
  ~SentencePieceTokenizer() override { module_.close(self_); }
  SentencePieceTokenizer(const SentencePieceTokenizer&) = delete;
  SentencePieceTokenizer& operator=(const SentencePieceTokenizer&) = delete;

  [[nodiscard]] std::int64_t vocabulary_size() const override { return module_.vocabulary_size(self_); }

  [[nodiscard]] Result<void> encode(std::string_view part, std::vector<int>& tokens) override {
    ErrorText error{};
    const auto take = [](void* context, const int* found, std::size_t count) {
      static_cast<std::vector<int>*>(context)->assign(found, found + count);
    };
    if (module_.encode(self_, part.data(), part.size(), take, &tokens, error.data(), error.size()) != 0)
      return fail(ErrorCode::data, location_, "cannot encode the text (" + printable(error.data()) + ")",
                  "name another SentencePiece model", {ReasonCode::data_damaged, {}});
    for (const int token : tokens)
      if (token < 0 || token >= vocabulary_size())
        return fail(ErrorCode::data, location_, "gives a token that is not in its vocabulary",
                    "fetch or copy the file again", {ReasonCode::data_damaged, {}});
    return {};
  }

 private:
  std::string location_;
  const hansa_sentencepiece& module_;
  void* self_;
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
  const hansa_sentencepiece* module = find_module();
  if (module == nullptr)
    return fail(ErrorCode::usage, "data.tokenizer",
                std::string("is set, but ") + module_name + " is not installed with this program",
                "install libsentencepiece-dev, and build again; without the key each byte is a token");
  HANSA_TRY(auto stream, internal::ByteStream::open(file, "set data.tokenizer to a SentencePiece model"));
  HANSA_TRY(const std::string model, read_model(stream));
  if (!has_valid_charsmap(model))
    return stream.bad("is no SentencePiece model, or a damaged one", "fetch or copy the file again");
  ErrorText error{};
  void* self = module->open(model.data(), model.size(), error.data(), error.size());
  if (self == nullptr)
    return stream.bad("is no SentencePiece model, or a damaged one (" + printable(error.data()) + ")",
                      "name the .model file that spm_train writes, and fetch or copy it again");
  return std::make_unique<SentencePieceTokenizer>(file.string(), *module, self);
}

}  // namespace hansa::learning::kinds
