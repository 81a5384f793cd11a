// Decides what a device that wants to join, or to change its key, is answered. docs/enrolment.md has the design and the attacks.
//
// Everybody may ask, so every question is cheap to refuse and tells nothing to whoever does not know the token's secret.
// A device asks again and again until the operator has decided; its key, which CURVE has authenticated, identifies it. One
// thread; no socket.
#pragma once
#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "common/bucket_table.h"
#include "common/log_events.h"
#include "common/time.h"
#include "common/utc.h"
#include "protocols/enrolment/join_messages.h"
#include "protocols/enrolment/rotation_request.h"
#include "server/register/device_register.h"

namespace hansa::server {

struct DeskLimits {
  RateLimit questions{200, 50};  // of all visitors together
  RateLimit failures{10, 0.1};  // wrong secrets from one address
  std::uint16_t retry_busy_s = 30;
  std::uint16_t retry_pending_s = 10;
};

struct DeskConfig {
  std::string federation;
  transport::PublicKey aggregator;
  std::filesystem::path admitted;  // folder
  std::vector<std::string> client_addresses;  // for the answers
  DeskLimits limits = {};
  secure_aggregation::IdentityKey root{};  // of the federation
  std::filesystem::path statements = {};  // about changed root keys; need not exist
};

// Signs the certificate of a device; empty: the operator approves devices.
using Certifier = std::function<Result<Device::Certified>(const Device& device, UtcSeconds now)>;

class EnrolmentDesk {
 public:
  struct Visitor {
    transport::PublicKey key;  // authenticated by CURVE
    std::string address;  // IP address
  };
  // A line for the aggregator's log.
  struct News {
    std::string address;  // of the visitor who causes it
    LogEvent event = LogEvent::none;
    std::string device;  // its name; empty: it has none
    std::string text;
  };
  using OnNews = std::function<void(const News& news)>;  // bounds what a visitor can cause

  EnrolmentDesk(DeskConfig config, DeviceRegister devices, Certifier certify, OnNews on_news);

  [[nodiscard]] enrolment::JoinAnswer answer(const enrolment::JoinRequest& request, const Visitor& visitor,
                                             UtcSeconds now, Instant steady);
  [[nodiscard]] enrolment::JoinAnswer answer(const enrolment::RotationRequest& request,
                                             const Visitor& visitor, UtcSeconds now, Instant steady);

 private:
  [[nodiscard]] Result<enrolment::JoinAnswer> decide(const enrolment::JoinRequest& request,
                                                     const Visitor& visitor, UtcSeconds now, Instant steady);
  [[nodiscard]] Result<enrolment::JoinAnswer> decide(const enrolment::RotationRequest& request,
                                                     const Visitor& visitor, UtcSeconds now, Instant steady);
  // The answer, or why there is none.
  [[nodiscard]] enrolment::JoinAnswer conclude(Result<enrolment::JoinAnswer> decided, const Visitor& visitor,
                                               const char* wish);
  [[nodiscard]] enrolment::JoinAnswer enrolled_as(const std::string& name,
                                                  const Device::Certified& certificate) const;
  [[nodiscard]] enrolment::JoinAnswer pending_as(const std::string& name) const;
  // What a device is answered that has joined or waits for it.
  [[nodiscard]] Result<enrolment::JoinAnswer> answer_known(const Device& device);
  // Writes the file of a certified device. Never that of another one: whoever removed it would see it come back.
  [[nodiscard]] Result<void> admit(const Device& device);
  [[nodiscard]] enrolment::JoinAnswer busy() const;

  DeskConfig config_;
  DeviceRegister devices_;
  Certifier certify_;
  OnNews on_news_;
  TokenBucket questions_;
  BucketTable failures_;  // by address
};

}  // namespace hansa::server
