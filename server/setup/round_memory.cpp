#include "server/setup/round_memory.h"

#include <algorithm>

#include <fmt/format.h>

namespace hansa::server {
namespace {

constexpr double mib = 1 << 20;

double mib_of(std::uint64_t vectors, std::uint64_t elements) {
  return static_cast<double>(vectors) * static_cast<double>(elements) * sizeof(float) / mib;
}

// An aggregation rule may keep all updates of the largest round.
Result<void> check_kept_updates(const FederationConfig& config, std::uint64_t clients,
                                std::uint64_t elements) {
  if (!keeps_updates(config.aggregation)) return {};
  std::uint64_t cohort = std::max<std::uint64_t>({clients, 1, config.cohort.clients_min});
  if (config.cohort.size_max != 0) cohort = std::min<std::uint64_t>(cohort, config.cohort.size_max);
  const double needed = mib_of(cohort, elements);
  const double memory = static_cast<double>(config.aggregation.memory_bytes_max) / mib;
  const auto disk = static_cast<double>(config.limits.kept_updates_disk_mib);
  if (needed <= memory + disk) return {};
  return fail(ErrorCode::resource, config.file.string(),
              fmt::format("strategy.aggregation = \"{}\" keeps all updates of a round: {} clients times {} "
                          "values times 4 bytes are {:.0f} MiB, and {:.0f} MiB of memory and {:.0f} MiB of "
                          "files are allowed",
                          config.aggregation.name, cohort, elements, needed, memory, disk),
              "raise limits.kept_updates_disk_mib, or lower cohort.size_max");
}

// Each group of buffered aggregation has a masked sum.
Result<std::string> check_groups(const FederationConfig& config, std::uint64_t clients,
                                 std::uint64_t elements, std::optional<std::uint64_t> available) {
  if (config.cohort.mode != CohortMode::buffered || !config.secure_aggregation || !available) return "";
  const BufferedConfig& buffered = config.cohort.buffered;
  const std::uint64_t training = buffered.concurrency == 0
                                     ? std::max<std::uint64_t>(clients, config.cohort.clients_min)
                                     : buffered.concurrency;
  const std::uint64_t groups = std::max<std::uint64_t>(training / buffered.updates, 1);
  const double needed = mib_of(groups, elements);
  const double free = static_cast<double>(*available) / mib;
  if (needed <= free / 2) return "";
  std::string arithmetic = fmt::format(
      "up to {} groups work at the same time, each with a masked sum: {} times {} values times 4 "
      "bytes are {:.0f} MiB, and {:.0f} MiB of memory are available",
      groups, groups, elements, needed, free);
  const std::string hint =
      fmt::format("set cohort.buffered.concurrency to a smaller multiple of cohort.buffered.updates = {}",
                  buffered.updates);
  if (needed > free) return fail(ErrorCode::resource, config.file.string(), std::move(arithmetic), hint);
  return arithmetic + "; if memory becomes scarce, " + hint;
}

}  // namespace

Result<std::string> check_round_memory(const FederationConfig& config, std::uint64_t clients,
                                       std::uint64_t elements, std::optional<std::uint64_t> available) {
  HANSA_TRY_VOID(check_kept_updates(config, clients, elements));
  return check_groups(config, clients, elements, available);
}

}  // namespace hansa::server
