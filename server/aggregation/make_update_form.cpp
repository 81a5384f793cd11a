#include "server/aggregation/make_update_form.h"

#include <cassert>

#include "server/aggregation/buffered_form.h"
#include "server/aggregation/encoded_form.h"
#include "server/aggregation/float32_form.h"
#include "server/aggregation/masked_form.h"
#include "server/aggregation/masked_groups_form.h"
#include "server/aggregation/robust/make_robust_rule.h"
#include "server/aggregation/robust_form.h"

namespace hansa::server {
namespace {

std::unique_ptr<UpdateForm> make_mean(const UpdateFormConfig& config, WorkerPool& workers,
                                      SpoolPool& spools) {
  if (config.sum_of == SumOf::buffer) {
    if (config.masked_value_bits)
      return std::make_unique<MaskedGroupsForm>(config.elements, *config.masked_value_bits, workers, spools);
    return std::make_unique<BufferedForm>(config.elements, config.uplink, workers, spools);
  }
  if (config.masked_value_bits)
    return std::make_unique<MaskedForm>(config.elements, *config.masked_value_bits, workers, spools);
  if (config.uplink) return std::make_unique<EncodedForm>(config.uplink, config.vectors, workers, spools);
  return std::make_unique<Float32Form>(config.elements, config.vectors, workers, spools);
}

}  // namespace

std::unique_ptr<UpdateForm> make_update_form(const UpdateFormConfig& config, WorkerPool& workers,
                                             SpoolPool& spools) {
  if (!keeps_updates(config.aggregation)) return make_mean(config, workers, spools);
  // The settings do not allow another one: nobody sees single updates, or they are of several vectors.
  assert(config.sum_of == SumOf::cohort && !config.masked_value_bits && config.vectors == 1);
  return std::make_unique<RobustForm>(RobustForm::Encoding{config.elements, config.uplink},
                                      make_robust_rule(config.aggregation),
                                      config.aggregation.memory_bytes_max, workers, spools);
}

}  // namespace hansa::server
