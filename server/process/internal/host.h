// What the aggregator's process has as long as clients can connect, whatever they connect for: the socket, who may
// connect, the port on which devices join, display and warnings.
#pragma once
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/logging.h"
#include "common/service_manager.h"
#include "protocols/enrolment/certificate_folder.h"
#include "protocols/transport/keys.h"
#include "protocols/transport/server_channel.h"
#include "server/config/devices_config.h"
#include "server/config/federation_config.h"
#include "server/engine/engine.h"
#include "server/enrolment/enrolment_server.h"
#include "server/process/admission_folder.h"
#include "server/process/aggregator_process.h"
#include "server/process/internal/aggregator_key.h"
#include "server/process/internal/dashboard.h"
#include "server/process/internal/device_book.h"
#include "server/process/internal/statement_sender.h"
#include "server/process/internal/warnings.h"
#include "server/process/progress_display.h"
#include "server/register/device_register.h"

namespace hansa::server::internal {

// Where the process serves. With another key it opens other sockets, at the same addresses.
struct Endpoints {
  std::string clients;
  std::string enrolment;  // empty: no device joins
};

// All references outlive it. One thread.
class Host {
 public:
  struct Parts {
    const FederationConfig& config;
    const DevicesConfig& devices;
    const AggregatorKey& aggregator_key;
    const transport::SecretKey& key;  // that it is now
    const Endpoints& bind;
    const AggregatorOptions& options;
    const Logger& log;
    ServiceManager& manager;
    Dashboard* dashboard;  // null: there is none
  };
  // Opens the socket, but handles no message. Fails as a channel does.
  [[nodiscard]] static Result<std::unique_ptr<Host>> open(const Parts& parts);

  // The register of devices; empty: it cannot be opened. The reason is a warning, once.
  [[nodiscard]] std::optional<DeviceRegister> open_register();
  // The same for what is written to it.
  [[nodiscard]] DeviceBook::Files open_book();
  // Opens the port on which devices join, if the configuration has one.
  [[nodiscard]] Result<void> start_enrolment();

  [[nodiscard]] transport::ServerChannel& channel() { return *channel_; }
  [[nodiscard]] ServiceManager& manager() { return parts_.manager; }
  [[nodiscard]] ProgressDisplay& display() { return display_; }
  [[nodiscard]] const Logger& log() const { return parts_.log; }
  [[nodiscard]] const Warnings& warn() const { return warn_; }
  // The register of devices, or what is recorded in it, cannot be read or written.
  void warn_of_register(const std::string& text) const;

  [[nodiscard]] Dashboard* dashboard() { return parts_.dashboard; }
  [[nodiscard]] Monitor* monitor() {
    return parts_.dashboard == nullptr ? nullptr : &parts_.dashboard->monitor();
  }
  // When the first of the clients' certificates expires that were asked for; empty: none was.
  [[nodiscard]] std::optional<UtcSeconds> first_expiry() const;

  // The names of the clients that may connect, sorted.
  [[nodiscard]] const std::vector<std::string>& admitted() const { return admitted_; }
  [[nodiscard]] Endpoints endpoints() const;
  // A client has sent this: it may be sent what the root key states about changed keys.
  void on_message(const transport::Incoming& in) { statements_.on_message(in); }
  // Tells the engine what has changed in the folder of admitted clients, and reads certificates again that may have
  // expired, or that another root key may have signed. Returns whether the folder has changed.
  bool follow_admission(Engine& engine, Instant now);
  // The certificate of an admitted client. Empty: it cannot take part in secure sums. A device without a certificate
  // comes back again and again, so the reason is logged when it changes.
  [[nodiscard]] std::optional<secure_aggregation::Certificate> certificate(const std::string& client);

 private:
  Host(const Parts& parts, std::unique_ptr<AdmissionFolder> admission,
       std::unique_ptr<transport::ServerChannel> channel);
  void warn_of_no_register(const Error& error);

  Parts parts_;
  std::unique_ptr<AdmissionFolder> admission_;  // the channel's thread calls it
  std::vector<std::string> admitted_;
  std::optional<enrolment::CertificateFolder> certificates_;  // set with secure aggregation
  std::map<std::string, UtcSeconds> expiries_;  // of certificates, by client
  std::map<std::string, std::string> reasons_;  // by client: why it has no certificate, as logged
  std::unique_ptr<transport::ServerChannel> channel_;
  ProgressDisplay display_;
  Warnings warn_;
  StatementSender statements_;
  bool has_warned_of_register_ = false;
  std::unique_ptr<EnrolmentServer> enrolment_;
};

}  // namespace hansa::server::internal
