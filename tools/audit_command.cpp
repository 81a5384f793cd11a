// hansa audit: the log of what operators and the aggregator did with devices.
#include <memory>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <nlohmann/json.hpp>

#include "common/text.h"
#include "server/config/devices_config.h"
#include "tools/commands.h"
#include "tools/federation_folder.h"
#include "tools/json_text.h"

namespace hansa::tools {
namespace {

struct AuditOptions {
  std::filesystem::path folder = ".";
  std::string head;
  bool json = false;
};

Result<std::vector<server::AuditEntry>> read(const AuditOptions& options, std::string& location) {
  HANSA_TRY(const auto config, read_federation_folder(options.folder));
  HANSA_TRY(const auto devices_config, server::read_devices_config(config.file, config.variables));
  location = devices_config.device_register.string();
  HANSA_TRY(auto devices, server::DeviceRegister::open(devices_config.device_register));
  return devices.audit();
}

Result<void> run_print(const AuditOptions& options) {
  std::string location;
  HANSA_TRY(const auto entries, read(options, location));
  if (options.json) {
    nlohmann::json list = nlohmann::json::array();
    for (const auto& entry : entries)
      list.push_back({{"number", entry.number},
                      {"at", rfc3339_text(entry.at)},
                      {"actor", entry.actor},
                      {"act", entry.act},
                      {"subject", entry.subject},
                      {"details", entry.details},
                      {"hash", entry.hash.hex()}});
    fmt::print("{}\n", json_text(list));
    return {};
  }
  for (const auto& entry : entries)
    fmt::print("{:>5}  {}  {}  {}  {}{}\n", entry.number, rfc3339_text(entry.at), printable(entry.actor),
               entry.act, printable(entry.subject),
               entry.details.empty() ? "" : "  " + printable(entry.details));
  return {};
}

Result<void> run_verify(const AuditOptions& options) {
  std::string location;
  HANSA_TRY(const auto entries, read(options, location));
  if (auto broken = server::find_break(entries, location)) return tl::unexpected<Error>(std::move(*broken));
  if (!options.head.empty()) {
    HANSA_TRY(const Digest head, parse_digest(options.head));
    const auto after = server::entries_after(entries, head);
    if (!after)
      return fail(ErrorCode::storage, location, "does not contain the entry with this hash",
                  "the log was shortened or written again since the hash was noted: compare with a copy");
    fmt::print("the entry with the noted hash is there, and {} entries follow it\n", *after);
  }
  const std::string last = entries.empty() ? "-" : entries.back().hash.hex();
  fmt::print("{} entries, each follows from the one before; the last one's hash: {}\n", entries.size(), last);
  return {};
}

}  // namespace

void add_audit_command(CLI::App& hansa, Outcome& outcome) {
  CLI::App* command =
      hansa.add_subcommand("audit", "Print or verify the audit log of devices and join tokens");
  command->require_subcommand(0, 1);
  command->footer("Examples, in a federation's folder:\n  hansa audit\n  hansa audit verify");
  auto options = std::make_shared<AuditOptions>();
  auto chosen = std::make_shared<bool>(false);
  command->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  command->add_flag("--json", options->json, "Print JSON");
  command->callback([options, chosen, &outcome] {
    if (!*chosen) outcome = run_print(*options);
  });

  CLI::App* verify = command->add_subcommand("verify", "Check that each entry follows from the one before");
  verify->footer(
      "Example, in a federation's folder:\n  hansa audit verify\n"
      "Whoever can write the file can also cut off its end, or write a whole new log. The aggregator writes "
      "the "
      "last\n"
      "hash to its own log when entries are added: check the newest of them with --head.");
  verify->add_option("--folder", options->folder, "The federation's folder")->capture_default_str();
  verify->add_option("--head", options->head, "A hash that was printed before: it must still be in the log");
  verify->callback([options, chosen, &outcome] {
    *chosen = true;
    outcome = run_verify(*options);
  });
}

}  // namespace hansa::tools
