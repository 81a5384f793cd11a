#include "learning/warm_up.h"

#include <ATen/Context.h>

#include "learning/internal/torch_settings.h"

namespace hansa::learning {

void warm_up() {
  const TorchSettings settings(1);
  // LibTorch's generator of random numbers reads a seed from the system when it is first used. A training sets its own.
  at::manual_seed(0);
}

}  // namespace hansa::learning
