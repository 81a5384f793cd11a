#include "client/join/join.h"

#include <algorithm>
#include <optional>
#include <thread>

#include <fmt/format.h>

#include "client/config/client_text.h"
#include "common/files.h"
#include "common/text.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/transport/client_channel.h"

namespace hansa::client {
namespace {

namespace fs = std::filesystem;
using enrolment::JoinAnswer;
using enrolment::JoinStatus;
using enrolment::JoinToken;
using transport::LinkEvent;

constexpr Duration answer_max = std::chrono::seconds(20);  // from the connection's start to the answer
constexpr int retry_s_min = 1, retry_s_max = 300;
constexpr int unreachable_s_max = 30;  // the pause after a connection that failed doubles up to this

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

// The key of an attempt before, or a new one.
Result<transport::SecretKey> own_key(const fs::path& file) {
  std::error_code error;
  if (fs::exists(file, error)) return transport::read_secret_key(file);
  HANSA_TRY(transport::SecretKey key, transport::generate_secret_key());
  HANSA_TRY_VOID(transport::write_secret_key(key, file));
  return key;
}

JoinAnswer busy_answer(std::uint16_t retry_after_s) {
  JoinAnswer out;
  out.status = JoinStatus::busy;
  out.retry_after_s = retry_after_s;
  return out;
}

// One connection, one request, one answer.
Result<JoinAnswer> ask(const JoinToken& token, const std::string& proxy, const transport::SecretKey& key,
                       const std::vector<std::byte>& request) {
  transport::ClientChannelConfig config;
  config.address = token.address;
  config.aggregator = token.aggregator;
  config.proxy = proxy;
  config.frame_bytes_max = enrolment::join_answer_bytes_max;
  HANSA_TRY(const auto channel, transport::ClientChannel::open(config, key));
  std::optional<Result<JoinAnswer>> answer;
  const transport::ClientChannel::Handlers handlers{
      .on_message =
          [&](std::span<const std::byte> message, std::span<const std::byte>) {
            if (!answer) answer = enrolment::decode_join_answer(message);
          },
      .on_link =
          [&](const LinkEvent& event) {
            if (event.kind == LinkEvent::Kind::connected) static_cast<void>(channel->send(request, {}));
            // On this port every key is admitted, so that a refusal is a limit of this device's address.
            else if (event.kind == LinkEvent::Kind::refused) answer = busy_answer(30);
            // A question so soon after the last one ends the connection.
            else if (event.kind == LinkEvent::Kind::disconnected && !answer) answer = busy_answer(3);
            else if (!answer) answer = tl::unexpected<Error>(event.error);
          }};
  const Instant until = steady_now() + answer_max;
  while (!answer && steady_now() < until) channel->poll(until - steady_now(), handlers, 1);
  if (answer) return std::move(*answer);
  return fail(ErrorCode::network, token.address, "does not answer",
              "check that the token is for this aggregator, and that its log shows no error");
}

// False if `stop` was set before.
bool sleep_unless(const std::atomic<bool>& stop, Duration time) {
  const Instant until = steady_now() + time;
  while (!stop && steady_now() < until)
    std::this_thread::sleep_for(std::min<Duration>(until - steady_now(), std::chrono::milliseconds(100)));
  return !stop;
}

// Tells a person each new state once.
class Notes {
 public:
  explicit Notes(const std::function<void(const std::string&)>& on_note) : on_note_(on_note) {}
  void operator()(const std::string& text) {
    if (text == last_) return;
    last_ = text;
    on_note_(text);
  }

 private:
  const std::function<void(const std::string&)>& on_note_;
  std::string last_;
};

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
  HANSA_TRY(const auto key, own_key(plan.folder / "client.key"));
  HANSA_TRY(const auto request, enrolment::make_join_request(token, key));
  on_note("this device's identity, for the operator to compare: " + enrolment::text_of(request.identity));
  const auto frame = enrolment::encode(request);
  Notes note(on_note);
  bool is_pending = false;
  int unreachable_s = retry_s_min;
  for (;;) {
    auto answer = ask(token, plan.proxy, key, frame);
    // Whoever waits for a person does not end because a link is down for a while.
    const bool may_retry = is_pending || plan.when_unreachable == WhenUnreachable::retry;
    if (!answer && (!may_retry || answer.error().code != ErrorCode::network))
      return tl::unexpected<Error>(answer.error());
    int retry_s = unreachable_s;
    if (!answer) {
      note("waiting: " + answer.error().text());
      unreachable_s = std::min(2 * unreachable_s, unreachable_s_max);
    } else {
      retry_s = std::clamp<int>(answer->retry_after_s, retry_s_min, retry_s_max);
      unreachable_s = retry_s_min;
      switch (answer->status) {
        case JoinStatus::enrolled: return finish(token, plan, key, *answer);
        case JoinStatus::refused:
          return fail(ErrorCode::refused, token.address, printable(answer->text),
                      "ask the operator for another token");
        case JoinStatus::busy:
          note("the aggregator asks to wait: too many devices, or wrong tokens, from this network");
          break;
        case JoinStatus::pending:
          is_pending = true;
          note(fmt::format(
              "the aggregator knows this device as \"{0}\" and waits for the operator: hansa approve {0}",
              printable(answer->text)));
          if (plan.wait == WaitForApproval::no)
            return fail(ErrorCode::resource, token.address, "the operator has not approved this device yet",
                        "run the same command again, in the same folder");
      }
    }
    if (!sleep_unless(stop, std::chrono::seconds(retry_s)))
      return fail(ErrorCode::resource, token.address, "this device has not joined yet",
                  "run the same command again, in the same folder: it continues");
  }
}

}  // namespace hansa::client
