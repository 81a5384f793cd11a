#include "server/aggregation/make_update_form.h"

#include <algorithm>
#include <cassert>
#include <iterator>

#include "server/aggregation/encoded_form.h"
#include "server/aggregation/float32_form.h"
#include "server/aggregation/masked_form.h"

namespace hansa::server {
namespace {

using Make = std::unique_ptr<UpdateForm> (*)(const UpdateFormConfig&, WorkerPool&, SpoolPool&);

std::unique_ptr<UpdateForm> make_mean(const UpdateFormConfig& config, WorkerPool& workers,
                                      SpoolPool& spools) {
  if (config.masked_value_bits)
    return std::make_unique<MaskedForm>(config.elements, *config.masked_value_bits, workers, spools);
  if (config.uplink) return std::make_unique<EncodedForm>(config.uplink, workers, spools);
  return std::make_unique<Float32Form>(config.elements, workers, spools);
}

// In the order of aggregation_names.
constexpr Make makers[] = {make_mean};
static_assert(std::size(makers) == aggregation_names.size());

}  // namespace

std::unique_ptr<UpdateForm> make_update_form(const UpdateFormConfig& config, WorkerPool& workers,
                                             SpoolPool& spools) {
  const auto found = std::ranges::find(aggregation_names, config.aggregation.name);
  assert(found != aggregation_names.end());  // the settings allow no other
  return makers[found - aggregation_names.begin()](config, workers, spools);
}

}  // namespace hansa::server
