#include "server/coordinator/internal/round_method.h"

#include <algorithm>
#include <bit>
#include <cstdint>
#include <limits>

#include "server/coordinator/internal/plain_checks.h"

namespace hansa::server {
namespace {

void set_option(Method& method, std::string_view name, OptionValue value) {
  const auto found = std::ranges::find(method.options, name, &Option::name);
  if (found != method.options.end()) found->value = std::move(value);
  else method.options.push_back({std::string(name), std::move(value)});
}

std::uint64_t steps_of(const TrainingConfig& training, std::uint64_t examples) {
  const std::uint64_t batches = (examples + training.batch_size - 1) / training.batch_size;
  const std::uint64_t steps = std::max<std::uint64_t>(batches * training.epochs, 1);
  return training.steps_max == 0 ? steps : std::min<std::uint64_t>(steps, training.steps_max);
}

bool has_option(const MethodDescription& description, std::string_view name) {
  return std::ranges::find(description.options, name, &OptionDescription::name) != description.options.end();
}

}  // namespace

Method method_of_round(const OperatorSettings& settings, const RoundOfRun& of,
                       std::span<const std::string> cohort, const Clients& clients) {
  Method out = settings.method;
  const MethodDescription* description = find_method(built_in_methods(), out.name);
  if (description == nullptr) return out;  // statistics, or a method of a program's own
  const TrainingConfig training = training_config(*description, out);
  if (const double fraction = rate_fraction(settings.rate_schedule, of.round); fraction != 1)
    set_option(out, "learning_rate", training.learning_rate * fraction);
  if (has_option(*description, "run")) set_option(out, "run", std::string(of.run));
  std::uint64_t least = std::numeric_limits<std::uint64_t>::max(), most = 1;
  for (const std::string& name : cohort)
    if (const Client* client = clients.find(name)) {
      most = std::max(most, client->examples);
      least = std::min(least, client->examples);
    }
  if (has_option(*description, "reference_steps"))
    set_option(out, "reference_steps", static_cast<std::int64_t>(steps_of(training, most)));
  if (has_option(*description, "output_scale")) {
    const std::uint64_t trained = std::min({least, most, trained_most(out)});
    set_option(out, "output_scale", static_cast<double>(std::bit_floor(std::max<std::uint64_t>(trained, 1))));
  }
  return out;
}

double output_scale_of(const Method& method) {
  const auto found = std::ranges::find(method.options, "output_scale", &Option::name);
  const double* scale = found == method.options.end() ? nullptr : std::get_if<double>(&found->value);
  return scale == nullptr ? 1 : *scale;
}

}  // namespace hansa::server
