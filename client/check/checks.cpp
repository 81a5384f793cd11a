#include "client/check/checks.h"

#include <algorithm>

#include <fmt/format.h>

#include "client/check/data_checks.h"
#include "client/check/network_checks.h"
#include "client/check/session_check.h"
#include "client/keys/accepted_keys.h"
#include "client/keys/key_files.h"
#include "common/entropy.h"
#include "common/folder_lock.h"

namespace hansa::client {
namespace {

constexpr Duration connect_max = std::chrono::seconds(5);
constexpr Duration handshake_max = std::chrono::seconds(10);

transport::ClientChannelConfig channel_config(const ClientConfig& config, const std::string& address,
                                              const transport::PublicKey& aggregator) {
  transport::ClientChannelConfig out;
  out.address = address;
  out.aggregator = aggregator;
  out.proxy = config.proxy;
  out.connect_max = handshake_max;
  return out;
}

void append(std::vector<Finding>& out, std::vector<Finding> more) {
  for (Finding& finding : more) out.push_back(std::move(finding));
}

// Whether the aggregator's port, or the proxy's, accepts connections. With a proxy, the proxy resolves the aggregator's
// name.
bool check_port(const ClientConfig& config, const std::string& address, Duration at_most,
                std::vector<Finding>& out) {
  const bool has_proxy = !config.proxy.empty();
  const Endpoint endpoint = endpoint_of(has_proxy ? config.proxy : address);
  Resolved resolved = resolve(endpoint);
  out.push_back(resolved.finding);
  if (resolved.addresses.empty()) return false;
  out.push_back(reach(has_proxy ? Check::proxy : Check::tcp, endpoint, resolved.addresses, at_most));
  return out.back().outcome == Outcome::passed;
}

constexpr Check session_checks[] = {Check::handshake,  Check::admission, Check::version,
                                    Check::federation, Check::session,   Check::certificate};

void skip_session(std::vector<Finding>& out, const std::string& why) {
  for (const Check check : session_checks) out.push_back(not_tried(check, why));
}

struct Asked {
  std::vector<Finding> findings;
  KnownContract contract;
};

Asked ask_aggregator(const ClientConfig& config, const transport::SecretKey& key, const std::string& address,
                     const transport::PublicKey& aggregator, Duration at_most) {
  Asked out;
  if (!check_port(config, address, at_most, out.findings)) {
    skip_session(out.findings, "not tried");
    return out;
  }
  SessionQuestion question{config.federation, "hansa-client check"};
  question.instance = unpredictable_number().value_or(1);  // it only tells this session from the device's own
  const auto answers = probe_session(channel_config(config, address, aggregator), key, question);
  if (!answers) {
    out.findings.push_back(failed(Check::handshake, answers.error()));
    return out;
  }
  append(out.findings, judge(*answers, address, config.proxy.empty() ? Route::direct : Route::through_proxy));
  if (answers->welcome) out.contract = {true, answers->welcome->contract};
  return out;
}

// The device's own certificate says more than the aggregator's refusal.
void replace_certificate(std::vector<Finding>& findings, const Finding& own) {
  for (Finding& finding : findings)
    if (finding.check == Check::certificate &&
        (own.outcome == Outcome::failed || finding.outcome != Outcome::failed))
      finding = own;
}

bool has_failed(const std::vector<Finding>& findings, Check check) {
  return std::ranges::any_of(findings, [&](const Finding& finding) {
    return finding.check == check && finding.outcome == Outcome::failed;
  });
}

// The present key may have ended while the device was away.
void hint_at_next_key(const ClientConfig& config, std::vector<Finding>& findings) {
  std::error_code error;
  if (!std::filesystem::exists(next_key_file(config), error)) return;
  for (Finding& finding : findings)
    if (finding.check == Check::admission && finding.outcome == Outcome::failed)
      finding.hint =
          "this device's key is being changed, and the change was interrupted: hansa-client rotate " +
          config.file.string();
}

struct Modelled {
  Finding finding;
  std::optional<std::uint64_t> peak = {};  // bytes that a step took
};
Modelled check_model(const ClientConfig& config, const Result<learning::AvailableData>& data,
                     const CheckTools& tools) {
  const auto skip = [](const char* why) {
    return Modelled{not_tried(Check::model, std::string("not tried, because ") + why)};
  };
  if (!data || data->examples == 0) return skip("there are no examples");
  if (config.follow) return skip("the data arrives while the client runs");
  // Two trainers at a time may need more memory than the device has.
  if (is_folder_locked(config.state)) return skip("a client with this state is running");
  const auto archive = last_archive(config.state);
  if (!archive) return skip("the first round brings the model to this device");
  const auto fit = tools.try_model(config, *archive);
  Modelled out{model_finding(fit)};
  if (fit && fit->peak_memory_bytes > 0) out.peak = fit->peak_memory_bytes;
  return out;
}

// The addresses in turn, until one opens a session.
Asked ask_any(const ClientConfig& config, const transport::SecretKey& key, UtcSeconds now, Duration at_most) {
  Asked out;
  const auto accepted = AcceptedKeys::open(config);
  if (!accepted) {
    out.findings.push_back(failed(Check::handshake, accepted.error()));
    return out;
  }
  const auto keys = accepted->aggregator_keys(now);
  for (const std::string& address : config.addresses) {
    Asked asked = ask_aggregator(config, key, address, keys.front(), at_most);
    // The aggregator changes its key, and has the other one.
    for (std::size_t i = 1; i < keys.size() && has_failed(asked.findings, Check::handshake); ++i)
      asked = ask_aggregator(config, key, address, keys[i], at_most);
    append(out.findings, std::move(asked.findings));
    if (!asked.contract.asked) continue;
    out.contract = std::move(asked.contract);
    break;
  }
  return out;
}

}  // namespace

std::vector<Finding> check_device(const std::filesystem::path& client_toml, const CheckTools& tools) {
  std::vector<Finding> out;
  const auto config = read_client_config(client_toml, tools.variables);
  if (!config) {
    out.push_back(failed(Check::configuration, config.error()));
    return out;
  }
  out.push_back(configuration_finding(*config));
  const auto key = transport::read_secret_key(config->key);
  out.push_back(key_finding(*config, key));
  const UtcSeconds now = tools.clock();
  out.push_back(clock_finding(clock_evidence(*config, now)));
  out.push_back(state_finding(config->state));

  KnownContract contract;
  if (!key) {
    skip_session(out, "not tried, because there is no key");
  } else if (is_folder_locked(config->state)) {
    for (const std::string& address : config->addresses)
      (void)check_port(*config, address, tools.connect_max, out);
    skip_session(
        out, "not tried, because a client with this state is running: its log says whether it is connected");
  } else {
    Asked asked = ask_any(*config, *key, now, tools.connect_max);
    if (const auto own = certificate_finding(*config, *key, now)) replace_certificate(asked.findings, *own);
    hint_at_next_key(*config, asked.findings);
    append(out, std::move(asked.findings));
    contract = std::move(asked.contract);
  }

  if (config->follow && config->follow->from == learning::FollowFrom::broker) {
    out.push_back(not_tried(Check::data, "not tried, because the data comes from a broker"));
    out.push_back(not_tried(Check::contract, "not tried, because the data comes from a broker"));
    out.push_back(not_tried(Check::model, "not tried, because the data comes from a broker"));
    out.push_back(memory_finding(*config, tools.memory(), memory_needed(std::nullopt)));
    return out;
  }
  const auto data = tools.open_data(*config);
  out.push_back(data_finding(data));
  out.push_back(contract_finding(data, contract));
  Modelled model = check_model(*config, data, tools);
  out.push_back(std::move(model.finding));
  std::optional<learning::AvailableData> available;
  if (data) available = *data;
  out.push_back(memory_finding(*config, tools.memory(), memory_needed(available, model.peak)));
  return out;
}

std::vector<Finding> check_connection(const ClientConfig& config, const transport::SecretKey& key,
                                      UtcSeconds now) {
  std::vector<Finding> out{clock_finding(clock_evidence(config, now))};
  const auto accepted = AcceptedKeys::open(config);
  if (!accepted) {
    out.push_back(failed(Check::handshake, accepted.error()));
    return out;
  }
  const transport::PublicKey aggregator = accepted->aggregator_keys(now).front();
  for (const std::string& address : config.addresses) {
    if (!check_port(config, address, connect_max, out)) continue;
    // Without Hello: the client itself is about to say one.
    auto opened = transport::ClientChannel::open(channel_config(config, address, aggregator), key);
    if (!opened) {
      out.push_back(failed(Check::handshake, opened.error()));
      continue;
    }
    SessionAnswers answers;
    bool done = false;
    const Instant until = steady_now() + handshake_max + std::chrono::seconds(1);
    const transport::ClientChannel::Handlers handlers{
        .on_message = {}, .on_link = [&](const transport::LinkEvent& event) {
          done = true;
          if (event.kind != transport::LinkEvent::Kind::connected) answers.link_failure = event;
        }};
    while (!done && steady_now() < until) (*opened)->poll(until - steady_now(), handlers, 1);
    const Route route = config.proxy.empty() ? Route::direct : Route::through_proxy;
    for (Finding& finding : judge(answers, address, route))
      if (finding.check == Check::proxy || finding.check == Check::handshake ||
          finding.check == Check::admission)
        out.push_back(std::move(finding));
  }
  return out;
}

}  // namespace hansa::client
