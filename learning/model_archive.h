// Model archives: TorchScript files with `forward`, an optional `training_loss(x, y)` and an optional `metrics(x, y)`
// -> Dict[str, Tuple of sum and count]. Torch-free header.
//
// The flat vector holds the archive's floating-point parameters (trainable) and floating-point buffers (buffer) in the
// archive's own order. Integer buffers and frozen parameters (requires_grad false) keep their archived values and are
// never sent. Tied weights appear once, under their first name. All values are float32; other floating-point types are
// refused.
#pragma once
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "common/parameter_layout.h"
#include "learning/archive_file.h"

namespace hansa::learning {

struct ModelDescription {
  Digest archive;  // SHA-256 of the file
  ParameterLayout layout;
  std::vector<float> parameters;  // the archived values, in layout order
  bool has_training_loss = false;
  bool has_metrics = false;
  std::vector<std::string>
      metric_names;  // of the values of metrics(), as far as they are constants in its code
  std::string
      fixed_mode;  // a warning if its layers cannot be switched between training and evaluation; else empty
};

// `personal` lists patterns of parameters that are excluded from layout and parameters (TrainingConfig::personal).
[[nodiscard]] Result<ModelDescription> describe_archive(const ArchiveFile& archive,
                                                        std::span<const std::string> personal = {});
// The names of parameters that the archive holds and `layout` does not: those that were personal in the run with this
// layout.
[[nodiscard]] Result<std::vector<std::string>> personal_names(const std::filesystem::path& archive,
                                                              const ParameterLayout& layout);

struct BuiltInModel {
  std::string name;  // "cnn-small"
  std::string description;  // one line: layers, input, parameters
};
[[nodiscard]] std::span<const BuiltInModel> built_in_models();

// Sizes of a built-in model's input and output; 0: the size in its description.
struct BuiltInSize {
  std::int64_t inputs =
      0;  // features or channels; docs/models.md says which, and for which models it is fixed
  std::int64_t classes = 0;  // outputs; for lstm-char and transformer-tiny the number of characters or tokens
};

// Creates a built-in model with weights drawn from the seed (the architecture's usual distributions, equal values on every
// machine) and saves it atomically. Fails (usage) on an unknown name, listing the known models, or on a size that the
// model cannot have.
[[nodiscard]] Result<void> create_built_in(const std::string& name, std::uint64_t seed,
                                           const std::filesystem::path& archive,
                                           const BuiltInSize& size = {});

// Saves a copy of the archive with these parameters, and with the archived values of the personal ones, for use outside
// of Hansa.
[[nodiscard]] Result<void> save_with_parameters(const std::filesystem::path& archive,
                                                std::span<const float> parameters,
                                                const std::filesystem::path& out,
                                                std::span<const std::string> personal = {});

}  // namespace hansa::learning
