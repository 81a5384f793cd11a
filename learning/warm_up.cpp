#include "learning/warm_up.h"

#include "learning/internal/torch_settings.h"

namespace hansa::learning {

void warm_up() { const TorchSettings settings(1); }

}  // namespace hansa::learning
