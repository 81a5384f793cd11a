// Devices, tokens and times for tests of the register and of enrolment.
#pragma once
#include <string>

#include <gtest/gtest.h>

#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/join_messages.h"
#include "server/register/device_register.h"

namespace hansa::server::testing {

inline constexpr UtcSeconds today{1'796'000'000};  // 2026-11-29
inline constexpr std::uint64_t hour = 3'600;
inline const Acting by_operator{"operator ada", today};

struct Keys {
  transport::SecretKey secret = transport::generate_secret_key().value();
  transport::PublicKey key = secret.public_key().value();
  secure_aggregation::IdentityKey identity = enrolment::identity_of(secret).value().public_key();
};

inline enrolment::JoinToken make_token() {
  enrolment::JoinToken out;
  EXPECT_TRUE(enrolment::fill_random(out));
  out.federation = "pumps";
  out.address = "tcp://127.0.0.1:7471";
  return out;
}

inline TokenRecord record_of(const enrolment::JoinToken& token, const std::string& label = "LINE-7",
                             std::uint32_t uses = 1) {
  return {token.id, enrolment::digest_of(token.id, token.secret), label, uses, 0,
          today,    UtcSeconds{today.value + 24 * hour}};
}

}  // namespace hansa::server::testing
