#include "client/join/join.h"

#include <unistd.h>

#include "client/config/client_text.h"
#include "client/join/internal/question.h"
#include "client/keys/key_files.h"
#include "common/files.h"
#include "protocols/enrolment/device_file.h"

namespace hansa::client {
namespace {

namespace fs = std::filesystem;

fs::path file_of(const JoinPlan& plan) { return plan.file.empty() ? plan.folder / "client.toml" : plan.file; }

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

// Where the package would have made it, if somebody has removed it.
Result<void> make_owned_folder(const fs::path& folder, const ServiceUser& owner) {
  std::error_code error;
  if (!fs::create_directory(folder, error)) {
    if (error)
      return fail(ErrorCode::storage, folder.string(), "cannot be created (" + error.message() + ")");
    return {};  // it exists
  }
  if (::lchown(folder.c_str(), owner.user, owner.group) != 0)
    return fail(ErrorCode::storage, folder.string(), "cannot be given to the service's user");
  return {};
}

Result<transport::SecretKey> prepare_folder(const JoinPlan& plan) {
  if (plan.owner) HANSA_TRY_VOID(make_owned_folder(plan.folder, *plan.owner));
  // As its user, who owns the folder: that user could have put links there, and root must not follow them.
  HANSA_TRY(const ActingAs owner, ActingAs::begin(plan.owner));
  HANSA_TRY_VOID(make_private_folder(plan.folder));
  return read_or_make_key(plan.folder / "client.key");
}

// The user of the service reads the configuration, and root owns it. It has no secret.
Result<void> make_readable(const fs::path& file) {
  using fs::perms;
  std::error_code error;
  fs::permissions(file, perms::owner_read | perms::owner_write | perms::group_read | perms::others_read,
                  error);
  if (error)
    return fail(ErrorCode::storage, file.string(), "cannot be made readable (" + error.message() + ")");
  return {};
}

Result<Joined> finish(const JoinToken& token, const JoinPlan& plan, const transport::SecretKey& key,
                      const JoinAnswer& answer) {
  HANSA_TRY(enrolment::DeviceFile device, enrolment::describe(key));
  HANSA_TRY_VOID(check_answer(answer, token, *device.identity));
  device.certificate = enrolment::DeviceFile::Certified{answer.validity, answer.signature};
  {
    HANSA_TRY(const ActingAs owner, ActingAs::begin(plan.owner));
    HANSA_TRY_VOID(enrolment::write_device_file(device, plan.folder / "client.pub"));
  }
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
  const fs::path file = file_of(plan);
  if (!plan.file.empty()) {
    text.key = (plan.folder / "client.key").string();
    text.state = (plan.folder / "state").string();
  }
  // The last file: its presence says that the device has joined.
  HANSA_TRY_VOID(write_file_atomically(file, text_of(text)));
  if (plan.owner) HANSA_TRY_VOID(make_readable(file));
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
  if (fs::exists(file_of(plan), error))
    return fail(ErrorCode::usage, file_of(plan).string(), "exists: this device has joined already",
                plan.owner ? "start it with \"systemctl start hansa-client\", or join in another folder: "
                             "--folder DIR"
                           : "start it with \"hansa-client client.toml\", or join in another folder: "
                             "--folder DIR");
  HANSA_TRY(const auto key, prepare_folder(plan));
  HANSA_TRY(const auto request, enrolment::make_join_request(token, key));
  on_note("this device's identity, for the operator to compare: " + enrolment::text_of(request.identity));
  const auto frame = enrolment::encode(request);
  HANSA_TRY(const auto answer,
            internal::ask_until_decided({token.address, token.aggregator, plan.proxy}, key, frame,
                                        {plan.wait, plan.when_unreachable}, on_note, stop));
  return finish(token, plan, key, answer);
}

}  // namespace hansa::client
