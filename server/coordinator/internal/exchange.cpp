#include "server/coordinator/internal/exchange.h"

#include "server/coordinator/internal/plain_exchange.h"
#include "server/coordinator/internal/secure_exchange.h"

namespace hansa::server {

std::unique_ptr<ExchangeFactory> make_exchange_factory(const CoordinatorConfig& config,
                                                       const SumRange& range) {
  if (config.settings.secure_sums) return std::make_unique<SecureExchangeFactory>(config, range);
  return std::make_unique<PlainExchangeFactory>(config);
}

}  // namespace hansa::server
