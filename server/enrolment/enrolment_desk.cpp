#include "server/enrolment/enrolment_desk.h"

#include <fmt/format.h>

#include "protocols/enrolment/key_statements.h"
#include "protocols/transport/address_network.h"
#include "server/enrolment/admitted_folder.h"
#include "server/enrolment/key_rotation.h"

namespace hansa::server {
namespace {

using enrolment::JoinAnswer;
using enrolment::JoinRequest;
using enrolment::JoinStatus;

JoinAnswer refused(std::string text) {
  JoinAnswer out;
  out.status = JoinStatus::refused;
  out.text = std::move(text);
  return out;
}

// The same answer for an unknown token and for a wrong secret.
JoinAnswer unknown_token() { return refused("this aggregator knows no such token"); }

}  // namespace

EnrolmentDesk::EnrolmentDesk(DeskConfig config, DeviceRegister devices, Certifier certify, OnNews on_news)
    : config_(std::move(config)),
      devices_(std::move(devices)),
      certify_(std::move(certify)),
      on_news_(std::move(on_news)),
      questions_(config_.limits.questions),
      failures_(config_.limits.failures) {}

JoinAnswer EnrolmentDesk::busy() const {
  JoinAnswer out;
  out.status = JoinStatus::busy;
  out.retry_after_s = config_.limits.retry_busy_s;
  return out;
}

JoinAnswer EnrolmentDesk::answer(const JoinRequest& request, const Visitor& visitor, UtcSeconds now,
                                 Instant steady) {
  if (!questions_.take(steady)) return busy();
  return conclude(decide(request, visitor, now, steady), visitor, "join");
}

JoinAnswer EnrolmentDesk::answer(const enrolment::RotationRequest& request, const Visitor& visitor,
                                 UtcSeconds now, Instant steady) {
  if (!questions_.take(steady)) return busy();
  return conclude(decide(request, visitor, now, steady), visitor, "change its key");
}

JoinAnswer EnrolmentDesk::conclude(Result<JoinAnswer> decided, const Visitor& visitor, const char* wish) {
  if (decided) return std::move(*decided);
  if (decided.error().code != ErrorCode::refused) {
    // A disk that is full is the operator's matter: the device comes back.
    on_news_({visitor.address,
              LogEvent::device_refused,
              {},
              fmt::format("a device cannot {}: {}", wish, decided.error().text())});
    return busy();
  }
  on_news_({visitor.address,
            LogEvent::device_refused,
            {},
            fmt::format("a device at {} may not {}: {}", visitor.address, wish, decided.error().text())});
  return refused(decided.error().text());
}

Result<JoinAnswer> EnrolmentDesk::decide(const enrolment::RotationRequest& request, const Visitor& visitor,
                                         UtcSeconds now, Instant steady) {
  const std::string network = transport::network_of(visitor.address);
  if (!failures_.allows(network, steady)) return busy();
  const Acting acting{"aggregator", now};
  const auto roots = enrolment::roots_in(config_.statements, config_.federation, config_.root, now);
  const enrolment::RotationScope scope{config_.federation, roots.newest, roots.former};
  // CURVE has authenticated the visitor's key: nobody asks for a key that is not its own.
  auto taken = request.new_key == visitor.key
                   ? take_rotation(request, scope, config_.admitted, devices_, visitor.address, acting)
                   : Result<Rotation>(fail(ErrorCode::refused, "the request", "is for another key"));
  if (!taken) {
    if (taken.error().code == ErrorCode::refused) static_cast<void>(failures_.take(network, steady));
    return tl::unexpected<Error>(std::move(taken).error());
  }
  if (!taken->next) return answer_known(taken->device);
  NextKey& next = *taken->next;
  const std::string& device = taken->device.name;
  if (next.state == NextKeyState::pending && !certify_) {
    const bool is_first_question = next.since == now;
    if (is_first_question)
      on_news_(
          {visitor.address, LogEvent::device_pending, device,
           fmt::format("device {0} asks for a change of its key, from {1}: \"hansa approve {0}\" allows it",
                       device, visitor.address)});
    return pending_as(device);
  }
  if (next.state == NextKeyState::pending) {
    HANSA_TRY(const auto certificate, certify_(with_next_key(taken->device, next), now));
    HANSA_TRY_VOID(admit_certified_key(taken->device, next, certificate, config_.admitted, devices_, acting));
    on_news_({visitor.address, LogEvent::device_enrolled, device,
              fmt::format("device {} changes its key, from {}", device, visitor.address)});
  } else {
    // The aggregator may have ended between the register and the folder.
    HANSA_TRY_VOID(admit_next_key(config_.admitted, taken->device, next));
  }
  return enrolled_as(device, *next.certificate);
}

Result<JoinAnswer> EnrolmentDesk::decide(const JoinRequest& request, const Visitor& visitor, UtcSeconds now,
                                         Instant steady) {
  const std::string network = transport::network_of(visitor.address);
  HANSA_TRY(const auto known, devices_.find_key(visitor.key));
  // Whoever guesses waits, and everybody else at its address, except devices that have joined or wait for it: with the
  // token that they have used, so that none of them can try others.
  const bool has_joined = known && known->token == request.id &&
                          (known->state == DeviceState::pending || known->state == DeviceState::certified ||
                           known->state == DeviceState::admitted);
  if (!has_joined && !failures_.allows(network, steady)) return busy();
  HANSA_TRY(const auto token, devices_.find_token(request.id));
  // An unknown token costs the same comparison.
  const Digest expected = token ? token->hash : Digest{};
  if (!enrolment::equal(enrolment::digest_of(request.id, request.secret), expected)) {
    static_cast<void>(failures_.take(network, steady));
    on_news_({visitor.address,
              LogEvent::device_refused,
              {},
              fmt::format("{} presented a join token that is not valid here", visitor.address)});
    return unknown_token();
  }
  if (!enrolment::has_valid_proof(request, config_.aggregator, visitor.key))
    return fail(ErrorCode::refused, "the device's key", "did not sign its request");
  if (known && (known->token != request.id || known->identity != request.identity))
    return fail(ErrorCode::refused, "the device's key", "is known already",
                "a device that was removed makes a new key: join in another folder");
  const Acting acting{"aggregator", now};
  Device device;
  if (known) {
    device = *known;
  } else {
    HANSA_TRY(const auto revoked, read_revoked_keys(config_.admitted));
    if (revoked.contains(visitor.key))
      return fail(ErrorCode::refused, "the device's key", "was revoked",
                  "join in another folder, with a new key");
    HANSA_TRY(device, devices_.enrol({request.id, visitor.key, request.identity, visitor.address},
                                     names_in(config_.admitted), acting));
    if (!certify_)
      on_news_({visitor.address, LogEvent::device_pending, device.name,
                fmt::format("device {} asks to join, from {}: \"hansa approve {}\" admits it", device.name,
                            visitor.address, device.name)});
  }
  if (device.state == DeviceState::pending && certify_) {
    HANSA_TRY(device.certificate, certify_(device, now));
    HANSA_TRY_VOID(devices_.approve(device.name, *device.certificate, acting));
    device.state = DeviceState::certified;
    on_news_({visitor.address, LogEvent::device_enrolled, device.name,
              fmt::format("device {} has joined, from {}", device.name, visitor.address)});
  }
  return answer_known(device);
}

Result<void> EnrolmentDesk::admit(const Device& device) {
  HANSA_TRY_VOID(admit_device(config_.admitted, device));
  return devices_.mark_admitted(device.name);
}

JoinAnswer EnrolmentDesk::pending_as(const std::string& name) const {
  JoinAnswer out;
  out.status = JoinStatus::pending;
  out.retry_after_s = config_.limits.retry_pending_s;
  out.text = name;
  return out;
}

JoinAnswer EnrolmentDesk::enrolled_as(const std::string& name, const Device::Certified& certificate) const {
  JoinAnswer out;
  out.status = JoinStatus::enrolled;
  out.name = name;
  out.validity = certificate.validity;
  out.signature = certificate.signature;
  out.addresses = config_.client_addresses;
  return out;
}

Result<JoinAnswer> EnrolmentDesk::answer_known(const Device& device) {
  switch (device.state) {
    case DeviceState::pending: return pending_as(device.name);
    case DeviceState::certified:
    case DeviceState::admitted:
    case DeviceState::removed: break;
    case DeviceState::quarantined:
    case DeviceState::revoked:
    case DeviceState::denied:
      return fail(ErrorCode::refused, "device " + device.name,
                  fmt::format("is {} by the operator", name(device.state)), "ask the operator");
  }
  HANSA_TRY(const auto revoked, read_revoked_keys(config_.admitted));
  if (revoked.contains(device.key))
    return fail(ErrorCode::refused, "device " + device.name, "was revoked by the operator",
                "ask the operator");
  // The aggregator, or `hansa approve`, may have ended between the register and the folder.
  if (device.state == DeviceState::certified) HANSA_TRY_VOID(admit(device));
  // From then on the folder decides, also before the register has followed it. Its file may have a newer certificate.
  HANSA_TRY(const auto file, find_admitted(config_.admitted, device.name));
  if (!file || file->key != device.key || !file->certificate || device.state == DeviceState::removed)
    return fail(ErrorCode::refused, "device " + device.name, "was removed by the operator",
                "ask the operator");
  return enrolled_as(device.name, {file->certificate->validity, file->certificate->signature});
}

}  // namespace hansa::server
