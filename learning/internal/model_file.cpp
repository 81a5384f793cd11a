#include "learning/internal/model_file.h"

#include <algorithm>
#include <cstdint>

namespace hansa::learning {
namespace {

using namespace std::string_view_literals;

constexpr const char* script_hint = "load it in Python, and save it with torch.jit.script(model).save(...)";

// A length in eight bytes, and JSON.
bool is_safetensors(std::string_view start) {
  if (start.size() < 10 || start[8] != '{') return false;
  std::uint64_t length = 0;
  for (std::size_t i = 0; i < 8; ++i)
    length |= std::uint64_t{static_cast<unsigned char>(start[i])} << (8 * i);
  return length > 1 && length < (std::uint64_t{1} << 27);
}

bool is_onnx(std::string_view start) {
  if (!start.starts_with('\x08')) return false;
  const std::string_view producer = start.substr(0, 256);
  for (const std::string_view name : {"pytorch"sv, "onnx"sv, "tf2onnx"sv, "skl2onnx"sv, "keras"sv})
    if (producer.find(name) != std::string_view::npos) return true;
  return false;
}

std::string word_after(std::string_view text, std::string_view before) {
  const std::size_t at = text.find(before);
  if (at == std::string_view::npos) return "";
  const std::string_view rest = text.substr(at + before.size());
  return std::string(rest.substr(0, std::min(rest.find_first_of(" ,;\n"), std::size_t{80})));
}

}  // namespace

std::optional<OtherThanModel> find_other_than_model(std::string_view start) {
  if (start.empty()) return OtherThanModel{"is empty", "copy it again"};
  if (start.starts_with("version https://git-lfs.github.com/spec/"))
    return OtherThanModel{"is a pointer of Git LFS, not the file itself", "run: git lfs pull"};
  if (is_safetensors(start))
    return OtherThanModel{"is a file of safetensors, which holds values and no code", script_hint};
  if (start.starts_with("\x89HDF"))
    return OtherThanModel{"is an HDF5 file, as Keras writes it", "export it from PyTorch"};
  if (is_onnx(start))
    return OtherThanModel{"is an ONNX model",
                          "export the PyTorch module with torch.jit.script(model).save(...)"};
  if (start.size() > 2 && start[0] == '\x80' && start[1] >= 2 && start[1] <= 5)
    return OtherThanModel{
        "was written by torch.save() in the format before PyTorch 1.6, or is another pickle", script_hint};
  if (!start.starts_with("PK"))
    return OtherThanModel{"is not a TorchScript archive", "make one with torch.jit.script(model).save(...)"};
  return std::nullopt;
}

std::optional<OtherThanModel> explain_reading(std::string_view reason, const std::string& version) {
  if (reason.find("failed finding central directory") != std::string_view::npos)
    return OtherThanModel{"is cut off or damaged", "copy it again"};
  if (const std::string newer = word_after(reason, "Attempted to read a PyTorch file with version ");
      !newer.empty())
    return OtherThanModel{"was written by a newer PyTorch (its format has version " + newer + "; LibTorch " +
                              version + " here reads up to " +
                              word_after(reason, "maximum supported version for reading is ") + ")",
                          "export it with PyTorch " + version};
  if (std::string name = word_after(reason, "Unknown builtin op: "); !name.empty()) {
    while (name.ends_with('.')) name.pop_back();
    return OtherThanModel{"uses the operator " + name + ", which LibTorch " + version + " here does not have",
                          "export it with PyTorch " + version + ", or use another operator"};
  }
  return std::nullopt;
}

}  // namespace hansa::learning
