// The text of GET /metrics: the exposition format of Prometheus, version 0.0.4.
//
// Pure: values in, text out. The names are documented in docs/dashboard.md.
#pragma once
#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "server/monitor/process_usage.h"

namespace hansa::server {

// Counts of observations by upper bound, in seconds.
class Histogram {
 public:
  explicit Histogram(std::vector<double> bounds) : bounds_(std::move(bounds)), counts_(bounds_.size() + 1) {}
  void observe(double seconds);

  [[nodiscard]] std::span<const double> bounds() const { return bounds_; }  // rising
  // Of observations up to the bound and above the one before; the last one: above all bounds.
  [[nodiscard]] std::span<const std::uint64_t> counts() const { return counts_; }
  [[nodiscard]] double sum() const { return sum_; }

 private:
  std::vector<double> bounds_;
  std::vector<std::uint64_t> counts_;
  double sum_ = 0;
};

// Since the aggregator's start, unless something else is said. Empty: the value is left out.
struct MonitorValues {
  std::string version, commit, federation, run;
  unsigned protocol = 0;
  std::uint64_t rounds_committed = 0, rounds_abandoned = 0;
  std::uint32_t round = 0;  // the last committed one
  std::optional<std::uint32_t> rounds_configured;
  std::map<std::string, std::uint64_t, std::less<>> participants;  // by outcome
  Histogram round_seconds{{1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 1'200, 1'800, 3'600}};
  std::map<std::string, Histogram, std::less<>> phase_seconds;  // by phase
  std::uint64_t bytes_received = 0, bytes_sent = 0;
  std::uint32_t clients_connected = 0, clients_ready = 0, clients_needed = 0, clients_left_out = 0,
                clients_admitted = 0;
  std::uint32_t uploads_in_progress = 0, upload_queue = 0;
  std::uint64_t evaluations_waiting = 0;
  std::map<std::string, double, std::less<>> training, evaluation, held_out;  // newest means by metric
  // Over the clients, each counted once; of a secure sum the worse end. What is not known is left out.
  std::map<std::string, double, std::less<>> held_out_clients, held_out_worst_tenth;
  std::optional<double> update_norm;  // of the last round
  std::uint64_t model_values = 0;
  Histogram event_loop_lag_seconds{{0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5}};
  std::uint64_t warnings = 0, errors = 0;
  std::optional<double> certificates_expire_seconds;  // until the first of them; negative: one has expired
  std::uint64_t secure_recovered = 0;
};

struct HttpValues {
  std::vector<std::pair<unsigned, std::uint64_t>> requests;  // by status
  std::uint32_t event_streams = 0;
};

[[nodiscard]] std::string prometheus_text(const MonitorValues& values, const HttpValues& http,
                                          const ProcessUsage& process);

}  // namespace hansa::server
