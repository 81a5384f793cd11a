// The training method of a round: that of the operator, with the options that depend on the round.
#pragma once
#include <span>
#include <string>
#include <string_view>

#include "common/identifiers.h"
#include "common/methods.h"
#include "server/coordinator/config.h"
#include "server/coordinator/internal/clients.h"

namespace hansa::server {

struct RoundOfRun {
  std::string_view run;  // its name
  RoundId round;
};

// The learning rate of the round (server/methods/rate_schedule.h); if the method has the option "reference_steps", the
// optimiser steps of the cohort's longest training, as far as the clients' reports tell; and if it has the option "run", the
// run that the vectors on the devices must belong to. "output_scale" is the largest power of two that is at most the examples of
// the cohort's smallest training (server/methods/scaffold.h).
[[nodiscard]] Method method_of_round(const OperatorSettings& settings, const RoundOfRun& of,
                                     std::span<const std::string> cohort, const Clients& clients);

// The method's option "output_scale"; 1 if it has none.
[[nodiscard]] double output_scale_of(const Method& method);

}  // namespace hansa::server
