// Makes a TorchScript archive of a federation's model with the values that a device holds, for programs on the device.
#pragma once
#include <cstdint>
#include <stop_token>
#include <string>

#include "common/error.h"
#include "common/parameter_layout.h"
#include "learning/trainer.h"

namespace hansa::learning {

// The values of the personal parameters in the archive.
enum class PersonalValues : std::uint8_t {
  archived,  // those of the federation's archive, which are equal on all devices
  kept,  // this device's; those of the archive if it has kept none
};

// One thread at a time calls a saver.
class ModelSaver {
 public:
  virtual ~ModelSaver() = default;
  // The bytes of the request's archive with the values of its input "model". Fails (model) if the layout differs,
  // (resource) if memory is short, and soon after a stop was requested if the saver can end its work.
  [[nodiscard]] virtual Result<std::string> save(const TrainingRequest& request, PersonalValues personal,
                                                 std::stop_token stop) = 0;
};

// The name under which a training keeps the values of personal parameters with this layout.
[[nodiscard]] inline std::string personal_vector_name(const ParameterLayout& personal) {
  return "personal/" + personal.digest().hex();
}

}  // namespace hansa::learning
