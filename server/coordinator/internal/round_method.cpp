#include "server/coordinator/internal/round_method.h"

#include <algorithm>
#include <cstdint>

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

}  // namespace

Method method_of_round(const OperatorSettings& settings, RoundId round, std::span<const std::string> cohort,
                       const Clients& clients) {
  Method out = settings.method;
  const MethodDescription* description = find_method(built_in_methods(), out.name);
  if (description == nullptr) return out;  // statistics, or a method of a program's own
  const TrainingConfig training = training_config(*description, out);
  if (const double fraction = rate_fraction(settings.rate_schedule, round); fraction != 1)
    set_option(out, "learning_rate", training.learning_rate * fraction);
  if (std::ranges::find(description->options, "reference_steps", &OptionDescription::name) !=
      description->options.end()) {
    std::uint64_t examples = 0;
    for (const std::string& name : cohort)
      if (const Client* client = clients.find(name)) examples = std::max(examples, client->examples);
    set_option(out, "reference_steps", static_cast<std::int64_t>(steps_of(training, examples)));
  }
  return out;
}

}  // namespace hansa::server
