// Makes a TorchScript archive of a federation's model with the values that a device holds, for programs on the device.
#pragma once
#include <cstdint>
#include <filesystem>
#include <stop_token>
#include <string>
#include <string_view>

#include "common/error.h"
#include "common/parameter_layout.h"
#include "learning/archive_copy.h"
#include "learning/trainer.h"
#include "learning/value_places.h"

namespace hansa::learning {

// Whose model is written.
enum class PersonalValues : std::uint8_t {
  // The global one: the personal parameters have the values of the federation's archive, which are equal on all devices.
  archived,
  // This device's: the personal parameters have the values that it has kept, or those of the archive; of a method that trains a
  // model of all parameters for the device, that one, or the global one if none is kept.
  kept,
};

// One thread at a time calls a saver.
class ModelSaver {
 public:
  virtual ~ModelSaver() = default;
  // Replaces `out` atomically and durably by a copy of the request's archive with the values of its input "model". Code and
  // everything else are those of the archive. Fails (model) if the layout differs or the values cannot be placed in the
  // archive, (resource) if memory is short, (storage), and soon after a stop was requested if the saver can end its work.
  [[nodiscard]] virtual Result<WrittenFile> save(const TrainingRequest& request, PersonalValues personal,
                                                 const std::filesystem::path& out, std::stop_token stop) = 0;
};

// The second half of every saver: writes the copy, when the places of the values are known. The places may come from a
// process that was taken over (write_archive_with_values()).
[[nodiscard]] Result<WrittenFile> save_at_places(const TrainingRequest& request, PersonalValues personal,
                                                 const ValuePlaces& places, const std::filesystem::path& out,
                                                 const std::stop_token& stop);

// The name under which a training keeps the device's own model of all parameters (TrainingMethod::personal_model).
inline constexpr std::string_view personal_model_vector = "ditto";
// The name under which a training keeps the values of personal parameters with this layout.
[[nodiscard]] inline std::string personal_vector_name(const ParameterLayout& personal) {
  return "personal/" + personal.digest().hex();
}

}  // namespace hansa::learning
