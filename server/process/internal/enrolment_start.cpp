#include "server/process/internal/enrolment_start.h"

#include "common/log_budget.h"
#include "protocols/transport/client_channel.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/signer.h"

namespace hansa::server::internal {

Result<std::unique_ptr<EnrolmentServer>> start_enrolment(
    const FederationConfig& config, const DevicesConfig& devices_config, const std::string& bind,
    const transport::SecretKey& key, const std::string& channel_endpoint, const Logger& log) {
  const EnrolmentConfig& enrolment = *devices_config.enrolment;
  const std::uint32_t epoch = config.secure_aggregation ? config.secure_aggregation->epoch : 1;
  const SigningTerms terms{config.name, *config.root, epoch, enrolment.days};
  Certifier certify;
  if (!enrolment.root_key.empty()) {
    HANSA_TRY_VOID(read_root_key(enrolment.root_key, *config.root));
    certify = certifier_with_key(enrolment.root_key, terms);
  }
  DeskConfig desk;
  desk.federation = config.name;
  HANSA_TRY(desk.aggregator, key.public_key());
  desk.admitted = config.admitted;
  desk.root = *config.root;
  desk.statements = devices_config.statements;
  desk.client_addresses = enrolment.client_addresses;
  if (desk.client_addresses.empty() && transport::check_aggregator_address(channel_endpoint))
    desk.client_addresses = {channel_endpoint};
  HANSA_TRY(auto devices, DeviceRegister::open(devices_config.device_register));
  // Before the first question: a file may have been removed while the aggregator did not run.
  HANSA_TRY(const auto listed, list_admitted(config.admitted));
  HANSA_TRY_VOID(devices.match_folder(listed, {"aggregator", utc_seconds_now()}));
  // What a visitor causes in the log is bounded for each address.
  auto budget = std::make_shared<LogBudget>();
  auto on_news = [log, budget](const EnrolmentDesk::News& news) {
    for (const auto& omitted : budget->take_omitted(steady_now()))
      log.warning("enrolment: " + omitted.subject + ": " + omitted.text(),
                  {.event = LogEvent::lines_omitted});
    if (budget->allows(news.address, "enrolment", steady_now()))
      log.info("enrolment: " + news.text, {.event = news.event, .client = news.device});
  };
  return EnrolmentServer::start(bind, key,
                                std::make_unique<EnrolmentDesk>(std::move(desk), std::move(devices),
                                                                std::move(certify), std::move(on_news)),
                                [log](const Error& error) { log.debug("enrolment: " + error.text()); });
}

}  // namespace hansa::server::internal
