// Whether a method gives each device a model of its own.
#pragma once
#include "common/held_out_metrics.h"
#include "common/methods.h"

namespace hansa {

// Present with personal parameters, and for the method "ditto", which trains a second model of all parameters. Then clients
// measure it under held_out_personal_..., and programs on a device find it as personal.pt. Any method is valid. Pure.
[[nodiscard]] PersonalModel personal_model_of(const Method& method);

}  // namespace hansa
