#include "client/check/device_checks.h"

#include <chrono>
#include <string>

#include <fmt/format.h>
#include <sys/stat.h>

#include "client/keys/accepted_keys.h"
#include "client/keys/key_files.h"
#include "common/files.h"
#include "common/text.h"
#include "protocols/enrolment/device_file.h"
#include "protocols/secure_aggregation/identity.h"

namespace hansa::client {
namespace {

namespace fs = std::filesystem;

// hansa-trainer with LibTorch loaded and a small model: about what scripts/bench footprint measures.
constexpr std::uint64_t trainer_bytes = 192ULL << 20;
// Before this version existed: 2026-01-01.
constexpr UtcSeconds earliest{1'767'225'600};
// Clocks of machines differ by minutes, and a file may come from another one.
constexpr std::uint64_t tolerance_s = 24 * 3'600;

std::optional<UtcSeconds> written_at(const fs::path& file) {
  struct stat status {};
  if (::stat(file.c_str(), &status) != 0 || status.st_mtime < 0) return std::nullopt;
  return UtcSeconds{static_cast<std::uint64_t>(status.st_mtime)};
}

std::string mib_text(std::uint64_t bytes) { return fmt::format("{} MiB", bytes >> 20); }

}  // namespace

Finding configuration_finding(const ClientConfig& config) {
  if (!config.model.root && !config.model.archive && !config.model.train_unapproved)
    return failed(
        Check::configuration, ErrorCode::usage,
        config.file.string() + ": approves no model: it has no root key and pins no archive",
        "set [model] root to the operator's root key, or [model] archive to the digest of one archive");
  return passed(Check::configuration, fmt::format("{}: client \"{}\" of federation \"{}\"",
                                                  config.file.string(), config.name, config.federation));
}

Finding key_finding(const ClientConfig& config, const Result<transport::SecretKey>& key) {
  if (!key) return failed(Check::key, key.error());
  const auto own = key->public_key();
  if (!own) return failed(Check::key, own.error());
  return passed(Check::key, fmt::format("{}: the public key is {}", config.key.string(), own->text()));
}

ClockEvidence clock_evidence(const ClientConfig& config, UtcSeconds now) {
  ClockEvidence out{now, written_at(config.file)};
  if (const auto device = enrolment::read_device_file(public_file(config)); device && device->certificate)
    out.certified = device->certificate->validity.issued;
  return out;
}

Finding clock_finding(const ClockEvidence& evidence) {
  constexpr const char* hint =
      "set the clock, for example by NTP: certificates are checked by it, and log lines have its times";
  const std::string shown = rfc3339_text(evidence.now);
  if (evidence.now < earliest)
    return failed(Check::clock, ErrorCode::usage,
                  fmt::format("the clock shows {}, which is before this program was written", shown), hint);
  const auto is_after_now = [&](const std::optional<UtcSeconds>& time) {
    return time && time->value > evidence.now.value + tolerance_s;
  };
  if (is_after_now(evidence.certified))
    return failed(Check::clock, ErrorCode::usage,
                  fmt::format("the clock shows {}, and the device's certificate was issued later, on {}",
                              shown, date_text(*evidence.certified)),
                  hint);
  if (is_after_now(evidence.configured))
    return failed(Check::clock, ErrorCode::usage,
                  fmt::format("the clock shows {}, and client.toml was written later, on {}", shown,
                              date_text(*evidence.configured)),
                  hint);
  return passed(Check::clock, fmt::format("the clock shows {}", shown));
}

Finding state_finding(const fs::path& folder, std::uint64_t bytes_min) {
  // A folder that the check makes does not stay.
  struct Removal {
    fs::path folder;
    ~Removal() {
      std::error_code ignored;
      if (!folder.empty()) fs::remove(folder, ignored);
    }
  };
  std::error_code missing;
  const Removal removal{fs::exists(folder, missing) ? fs::path() : folder};
  if (auto made = make_folders(folder); !made) return failed(Check::state, made.error());
  const fs::path trial = folder / "check.trial";
  if (auto written = write_file_atomically(trial, std::string_view("hansa-client check\n")); !written) {
    Error error = written.error();
    if (error.hint.empty())
      error.hint = "give the client's user the folder, or set client.state to another one";
    return failed(Check::state, error);
  }
  std::error_code error;
  fs::remove(trial, error);
  const fs::space_info space = fs::space(folder, error);
  if (error) return passed(Check::state, folder.string() + " can be written");
  if (space.available < bytes_min)
    return failed(Check::state, ErrorCode::storage,
                  fmt::format("{}: {} are free, and the client needs {}", folder.string(),
                              mib_text(space.available), mib_text(bytes_min)),
                  "free disk space, or set client.state to a folder on another disk");
  return passed(Check::state,
                fmt::format("{} can be written, {} are free", folder.string(), mib_text(space.available)));
}

std::optional<Finding> certificate_finding(const ClientConfig& config, const transport::SecretKey& key,
                                           UtcSeconds now) {
  constexpr const char* renew =
      "the operator certifies the device again: hansa keys certify --root ROOT.key --federation NAME "
      "FILE.pub";
  const fs::path file = public_file(config);
  std::error_code missing;
  if (!config.secure_aggregation || !fs::exists(file, missing)) return std::nullopt;
  const auto device = enrolment::read_device_file(file);
  if (!device) return failed(Check::certificate, device.error());
  if (!device->certificate) return std::nullopt;
  const auto own = enrolment::describe(key);
  if (!own) return failed(Check::certificate, own.error());
  if (device->identity != own->identity)
    return failed(Check::certificate, ErrorCode::refused,
                  file.string() + ": belongs to another key than " + config.key.string(),
                  "put the device's own .pub file there, or remove it: the aggregator has the certificate");
  const secure_aggregation::Certificate certificate{
      config.name, *device->identity, device->certificate->validity, device->certificate->signature};
  auto valid = secure_aggregation::check(certificate, config.federation, config.secure_aggregation->root);
  // Other root keys may have followed the one in client.toml.
  if (const auto accepted = AcceptedKeys::open(config); accepted) {
    const auto roots = accepted->roots(now);
    valid = secure_aggregation::check(certificate, config.federation, roots->newest);
    if (!valid && roots->former)
      valid = secure_aggregation::check(certificate, config.federation, *roots->former);
  }
  if (!valid)
    return failed(Check::certificate, ErrorCode::refused,
                  file.string() + ": the certificate " + valid.error().what,
                  "check client.name, client.federation and secure_aggregation.root: the certificate is for "
                  "other ones");
  if (certificate.validity.expires <= now)
    return failed(Check::certificate, ErrorCode::refused,
                  fmt::format("{}: the certificate expired on {}", file.string(),
                              date_text(certificate.validity.expires)),
                  renew);
  return passed(Check::certificate, fmt::format("{}: holds for federation \"{}\" until {}", file.string(),
                                                config.federation, date_text(certificate.validity.expires)));
}

MemoryNeed memory_needed(const std::optional<learning::AvailableData>& data,
                         std::optional<std::uint64_t> peak) {
  MemoryNeed out;
  if (data && data->description) {
    std::uint64_t example = 0;
    for (const TensorDescription& input : data->description->inputs) {
      std::uint64_t values = 1;
      for (const std::int64_t size : input.shape)
        values *= static_cast<std::uint64_t>(std::max<std::int64_t>(size, 0));
      example += values * bytes_of(input.type);
    }
    out.of_examples = data->examples * example;
  }
  out.is_measured = peak.has_value();
  // The examples were in memory when the step was tried.
  out.bytes = peak.value_or(trainer_bytes + out.of_examples);
  return out;
}

Finding memory_finding(const ClientConfig& config, std::optional<std::uint64_t> available,
                       const MemoryNeed& needed) {
  if (!available) return not_tried(Check::memory, "this system does not tell how much memory is available");
  const std::string need_text =
      needed.is_measured ? fmt::format("a training step that was tried took {}", mib_text(needed.bytes))
                         : fmt::format("a training needs at least {}, an estimate", mib_text(needed.bytes));
  if (*available < needed.bytes)
    return failed(Check::memory, ErrorCode::resource,
                  fmt::format("{} are available, and {}", mib_text(*available), need_text),
                  "end other programs, raise the container's limit, or set data.examples_max");
  const std::uint64_t limit = config.resources.trainer_memory_mib_max;
  if (limit != 0 && (limit << 20) < needed.of_examples)
    return failed(Check::memory, ErrorCode::resource,
                  fmt::format("resources.trainer_memory_mib_max is {}, and the examples alone need {}", limit,
                              mib_text(needed.of_examples)),
                  "raise resources.trainer_memory_mib_max, or set data.examples_max");
  return passed(Check::memory, fmt::format("{} are available; {}", mib_text(*available), need_text));
}

}  // namespace hansa::client
