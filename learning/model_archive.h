// Model archives: TorchScript files with `forward`, optional `training_loss(x, y)` and
// optional `metrics(x, y)` -> Dict[str, Tuple of sum and count]. Torch-free header.
//
// The flat vector holds the archive's floating point parameters (trainable) and floating
// point buffers (buffer) in the archive's own order. Integer buffers and frozen parameters
// (requires_grad false) stay as archived and never travel; tied weights count once, by their
// first name. All is float32: other floating point types are refused.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/parameter_layout.h"

namespace hansa::learning {

struct ModelDescription {
  Digest archive;  // SHA-256 of the file
  ParameterLayout layout;
  std::vector<float> parameters;  // the archived values, in layout order
  bool has_training_loss = false;
  bool has_metrics = false;
};

// personal: patterns of what is left out of layout and parameters (TrainingConfig::personal).
[[nodiscard]] Result<ModelDescription> describe_archive(const std::filesystem::path& archive,
                                                        std::span<const std::string> personal = {});
// The names of what archive holds and layout does not: what was personal in the run that layout is of.
[[nodiscard]] Result<std::vector<std::string>> personal_names(const std::filesystem::path& archive,
                                                              const ParameterLayout& layout);

struct BuiltInModel {
  std::string name;  // "cnn-small"
  std::string description;  // one line: layers, input, parameters
};
[[nodiscard]] std::span<const BuiltInModel> built_in_models();

// What the ends of a built-in model are sized for; 0: as its description says.
struct BuiltInSize {
  std::int64_t inputs = 0;  // features (logistic, mlp) or channels (conv1d); the others' are fixed
  std::int64_t classes = 0;  // outputs; of lstm-char the characters, 0 to classes - 1
};

// Makes a built-in model with weights drawn from seed (LibTorch's default initialisation,
// same values on every machine) and saves it atomically. Fails (usage) naming the known models, or
// on a size that the model cannot have.
[[nodiscard]] Result<void> create_built_in(const std::string& name, std::uint64_t seed,
                                           const std::filesystem::path& archive,
                                           const BuiltInSize& size = {});

// A copy of archive whose parameters are `parameters`, and what is personal as archived: what a user loads elsewhere.
[[nodiscard]] Result<void> save_with_parameters(const std::filesystem::path& archive,
                                                std::span<const float> parameters,
                                                const std::filesystem::path& out,
                                                std::span<const std::string> personal = {});

}  // namespace hansa::learning
