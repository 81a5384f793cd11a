// Why a file is no usable TorchScript archive, in terms of what people save by mistake. Pure functions, without LibTorch.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "common/error.h"

namespace hansa::learning {

inline constexpr std::size_t model_file_start_bytes = 4096;

struct OtherThanModel {
  std::string what;  // "is a file of safetensors"
  std::string hint;
};

// By the first bytes of the file, of which model_file_start_bytes are enough. Empty if it may be an archive.
[[nodiscard]] std::optional<OtherThanModel> find_other_than_model(std::string_view start);

// By what LibTorch says when it reads an archive: of a newer version, with an operator that this LibTorch (`version`) does
// not have, or cut off. Empty for anything else.
[[nodiscard]] std::optional<OtherThanModel> explain_reading(std::string_view reason,
                                                            const std::string& version);

}  // namespace hansa::learning
