// The request of a device that changes its key: golden frame, round trips and hostile ones.
#include "protocols/enrolment/rotation_request.h"

#include <fstream>
#include <map>

#include <gtest/gtest.h>

#include "common/files.h"
#include "common/hex.h"
#include "common/random.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/enrolment/join_messages.h"
#include "tests/temporary_folder.h"

namespace hansa::enrolment {
namespace {

class RotationRequestTest : public ::testing::Test {
 protected:
  // The secret whose bytes are first, first + 1, ...
  transport::SecretKey secret_of(const std::string& z85) {
    EXPECT_TRUE(write_file_atomically(folder / "secret.key", z85 + "\n", FileAccess::owner_only));
    return transport::read_secret_key(folder / "secret.key").value();
  }
  TemporaryFolder folder;
  transport::SecretKey present = secret_of("009c61o!#m2NH?C3>iWS5d]J*6CRx17-skh9337x");
  transport::SecretKey next = secret_of("ar.{NbQB=+c[cR@eg&FcfFLssg=mfIi5%2YjuU>)");
  transport::SecretKey root = secret_of("kTv.7l}6Nnnj=ADoIFnTp/ga?r8($2sxO*itWpVy");
  RotationScope scope{"pumps", identity_of(root).value().public_key()};
  secure_aggregation::IdentityKey present_identity = identity_of(present).value().public_key();
  RotationRequest request = make_rotation_request(scope, present, next).value();
};

TEST_F(RotationRequestTest, IsTheGoldenFrame) {
  std::map<std::string, std::string> golden;
  std::ifstream file(HANSA_ROTATION_GOLDEN);
  for (std::string line; std::getline(file, line);)
    if (const auto at = line.find(" = "); !line.starts_with('#') && at != std::string::npos)
      golden[line.substr(0, at)] = line.substr(at + 3);
  const auto frame = encode(request).value();
  ASSERT_EQ(frame.size(), rotation_request_bytes);
  EXPECT_EQ(to_hex({reinterpret_cast<const std::uint8_t*>(frame.data()), frame.size()}), golden["rotation"]);
}

TEST_F(RotationRequestTest, CarriesEverythingInAFrameAndInAFile) {
  ASSERT_TRUE(write_rotation_request(request, folder / "a.rotation"));
  for (const auto& read :
       {decode_rotation_request(encode(request).value()), read_rotation_request(folder / "a.rotation")}) {
    ASSERT_TRUE(read) << read.error().text();
    EXPECT_EQ(read->old_key, request.old_key);
    EXPECT_EQ(read->new_key, request.new_key);
    EXPECT_TRUE(has_valid_proof(*read, scope, present_identity));
  }
  EXPECT_TRUE(is_rotation_request(encode(request).value()));
  EXPECT_FALSE(is_rotation_request(encode(JoinRequest())));
}

using AdversaryRotationRequest = RotationRequestTest;
TEST_F(AdversaryRotationRequest, HoldsForThisDeviceThisKeyAndThisFederationAlone) {
  EXPECT_TRUE(has_valid_proof(request, scope, present_identity));
  const auto stranger = transport::generate_secret_key().value();
  EXPECT_FALSE(has_valid_proof(request, scope, identity_of(stranger).value().public_key()));
  EXPECT_FALSE(has_valid_proof(request, {"other", scope.root}, present_identity));
  EXPECT_FALSE(has_valid_proof(request, {"pumps", present_identity}, present_identity))
      << "another federation of the same name";
  EXPECT_TRUE(has_valid_proof(request, {"pumps", present_identity, scope.root}, present_identity))
      << "while the root key changes, either one may be meant";
  RotationRequest altered = request;
  altered.new_key = stranger.public_key().value();
  EXPECT_FALSE(has_valid_proof(altered, scope, present_identity));
  altered = request;
  altered.new_identity = identity_of(stranger).value().public_key();
  EXPECT_FALSE(has_valid_proof(altered, scope, present_identity));
}

TEST_F(AdversaryRotationRequest, SomebodyWithoutTheNewKeysSecretCannotHaveItCertified) {
  // The thief signs with its own identity, and names that of another device.
  RotationRequest forged = make_rotation_request(scope, present, next).value();
  const auto victim = transport::generate_secret_key().value();
  forged.new_identity = identity_of(victim).value().public_key();
  EXPECT_FALSE(has_valid_proof(forged, scope, present_identity));
}

TEST_F(AdversaryRotationRequest, CutLengthenedAndAlteredFramesAreErrorsOrEncodeToThemselves) {
  const auto frame = encode(request).value();
  for (std::size_t i = 0; i < frame.size(); ++i)
    EXPECT_FALSE(decode_rotation_request(std::span(frame).first(i)));
  auto longer = frame;
  longer.push_back(std::byte{0});
  EXPECT_FALSE(decode_rotation_request(longer));
  Random random(11);
  for (int i = 0; i < 20'000; ++i) {
    auto altered = frame;
    for (std::uint64_t n = 1 + random.below(3); n > 0; --n)
      altered[random.below(altered.size())] = static_cast<std::byte>(random.next());
    if (const auto decoded = decode_rotation_request(altered)) {
      EXPECT_EQ(encode(*decoded).value(), altered);
    }
  }
}

TEST_F(AdversaryRotationRequest, AFileWithoutARequestIsAnErrorWithAHint) {
  for (const char* text : {"", "# only a comment\n", "rotation 00\n", "rotation zz\n", "identity 1\n"}) {
    ASSERT_TRUE(write_file_atomically(folder / "bad", std::string(text)));
    const auto read = read_rotation_request(folder / "bad");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::usage);
    EXPECT_NE(read.error().hint.find("hansa-client rotate"), std::string::npos);
  }
}

}  // namespace
}  // namespace hansa::enrolment
