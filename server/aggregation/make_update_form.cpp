#include "server/aggregation/make_update_form.h"

#include "server/aggregation/encoded_form.h"
#include "server/aggregation/float32_form.h"
#include "server/aggregation/masked_form.h"

namespace hansa::server {

std::unique_ptr<UpdateForm> make_update_form(const UpdateFormConfig& config, WorkerPool& workers,
                                             SpoolPool& spools) {
  if (config.masked_value_bits)
    return std::make_unique<MaskedForm>(config.elements, *config.masked_value_bits, workers, spools);
  if (config.uplink) return std::make_unique<EncodedForm>(config.uplink, workers, spools);
  return std::make_unique<Float32Form>(config.elements, workers, spools);
}

}  // namespace hansa::server
