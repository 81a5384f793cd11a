#include "client/join/join.h"

#include "client/config/client_text.h"
#include "client/join/internal/question.h"
#include "client/keys/key_files.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::client {
namespace {

namespace fs = std::filesystem;
using enrolment::JoinAnswer;
using enrolment::JoinToken;

// The folder will hold the device's key and state.
Result<void> make_private_folder(const fs::path& folder) {
  std::error_code error;
  const bool is_new = !fs::exists(folder, error);
  HANSA_TRY_VOID(make_folders(folder));
  if (is_new) fs::permissions(folder, fs::perms::owner_all, error);
  if (error)
    return fail(ErrorCode::storage, folder.string(), "cannot be made private (" + error.message() + ")");
  return {};
}

Result<Joined> finish(const JoinToken& token, const JoinPlan& plan, const transport::SecretKey& key,
                      const JoinAnswer& answer) {
  HANSA_TRY(enrolment::DeviceFile device, enrolment::describe(key));
  HANSA_TRY_VOID(check_answer(answer, token, *device.identity));
  device.certificate = enrolment::DeviceFile::Certified{answer.validity, answer.signature};
  HANSA_TRY_VOID(enrolment::write_device_file(device, plan.folder / "client.pub"));
  ClientText text;
  text.name = answer.name;
  text.federation = token.federation;
  text.addresses = answer.addresses;
  text.enrolment = token.address;
  text.proxy = plan.proxy;
  text.aggregator = token.aggregator;
  text.root = enrolment::text_of(token.root);
  text.secure = token.terms.secure;
  text.honest_min = token.terms.honest_min;
  text.threat_model = token.terms.threat_model;
  text.data = plan.data;
  // The last file: its presence says that the device has joined.
  const fs::path file = plan.folder / "client.toml";
  HANSA_TRY_VOID(write_file_atomically(file, text_of(text)));
  return Joined{answer.name, file, answer.validity.expires};
}

}  // namespace

Result<void> check_answer(const JoinAnswer& answer, const JoinToken& token,
                          const secure_aggregation::IdentityKey& own) {
  const secure_aggregation::Certificate certificate{answer.name, own, answer.validity, answer.signature};
  if (secure_aggregation::check(certificate, token.federation, token.root)) return {};
  return fail(ErrorCode::refused, token.address,
              "answered with a certificate that the federation's root key did not sign for this device",
              "do not use this token: tell the operator");
}

Result<Joined> join(const JoinToken& token, const JoinPlan& plan,
                    const std::function<void(const std::string&)>& on_note, const std::atomic<bool>& stop) {
  std::error_code error;
  if (fs::exists(plan.folder / "client.toml", error))
    return fail(ErrorCode::usage, (plan.folder / "client.toml").string(),
                "exists: this device has joined already",
                "start it with \"hansa-client client.toml\", or join in another folder: --folder DIR");
  HANSA_TRY_VOID(make_private_folder(plan.folder));
  HANSA_TRY(const auto key, read_or_make_key(plan.folder / "client.key"));
  HANSA_TRY(const auto request, enrolment::make_join_request(token, key));
  const auto frame = enrolment::encode(request);
  HANSA_TRY(const auto answer,
            internal::ask_until_decided({token.address, token.aggregator, plan.proxy}, key, frame,
                                        {plan.wait, plan.when_unreachable}, on_note, stop));
  return finish(token, plan, key, answer);
}

}  // namespace hansa::client
