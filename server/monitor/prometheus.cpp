#include "server/monitor/prometheus.h"

#include <algorithm>
#include <cmath>
#include <concepts>
#include <iterator>

#include <fmt/format.h>

namespace hansa::server {
namespace {

std::string escaped_label(std::string_view value) {
  std::string out;
  for (const char c : value) {
    if (c == '\\' || c == '"') out += '\\';
    if (c == '\n') out += "\\n";
    else out += c;
  }
  return out;
}

std::string text_of(double value) {
  if (std::isnan(value)) return "NaN";
  if (std::isinf(value)) return value > 0 ? "+Inf" : "-Inf";
  return fmt::format("{}", value);
}

class Text {
 public:
  using Labels = std::vector<std::pair<std::string_view, std::string_view>>;

  void head(std::string_view name, std::string_view type, std::string_view help) {
    name_ = name;
    fmt::format_to(std::back_inserter(out_), "# HELP {0} {1}\n# TYPE {0} {2}\n", name, help, type);
  }
  void sample(const std::string& value, const Labels& labels = {}, std::string_view suffix = {}) {
    out_ += name_;
    out_ += suffix;
    for (std::size_t i = 0; i < labels.size(); ++i)
      fmt::format_to(std::back_inserter(out_), "{}{}=\"{}\"", i == 0 ? "{" : ",", labels[i].first,
                     escaped_label(labels[i].second));
    if (!labels.empty()) out_ += '}';
    out_ += ' ' + value + '\n';
  }
  void counter(std::string_view name, std::uint64_t value, std::string_view help) {
    head(name, "counter", help);
    sample(std::to_string(value));
  }
  template <std::integral Count>
  void gauge(std::string_view name, Count value, std::string_view help) {
    head(name, "gauge", help);
    sample(std::to_string(value));
  }
  void gauge(std::string_view name, double value, std::string_view help) {
    head(name, "gauge", help);
    sample(text_of(value));
  }
  void gauge(std::string_view name, const std::optional<double>& value, std::string_view help) {
    if (value) gauge(name, *value, help);
  }
  void histogram(const Histogram& histogram, const Labels& labels = {}) {
    std::uint64_t sum = 0;
    Labels with_bound = labels;
    with_bound.emplace_back("le", "");
    for (std::size_t i = 0; i < histogram.counts().size(); ++i) {
      sum += histogram.counts()[i];
      const std::string bound = i < histogram.bounds().size() ? text_of(histogram.bounds()[i]) : "+Inf";
      with_bound.back().second = bound;
      sample(std::to_string(sum), with_bound, "_bucket");
    }
    sample(text_of(histogram.sum()), labels, "_sum");
    sample(std::to_string(sum), labels, "_count");
  }
  void by_metric(std::string_view name, const std::map<std::string, double, std::less<>>& values,
                 std::string_view help) {
    if (values.empty()) return;
    head(name, "gauge", help);
    for (const auto& [metric, value] : values) sample(text_of(value), {{"metric", metric}});
  }
  [[nodiscard]] std::string take() { return std::move(out_); }

 private:
  std::string out_, name_;
};

void add_rounds(Text& text, const MonitorValues& v) {
  text.counter("hansa_rounds_committed_total", v.rounds_committed, "Rounds committed since the start.");
  text.counter("hansa_rounds_abandoned_total", v.rounds_abandoned,
               "Attempts at a round that came to nothing.");
  text.gauge("hansa_round", v.round, "The last committed round.");
  if (v.rounds_configured)
    text.gauge("hansa_rounds_configured", *v.rounds_configured, "Rounds that the run should have.");
  text.head("hansa_participants_total", "counter",
            "Clients that were selected for a round, by what became of them.");
  for (const auto& [outcome, count] : v.participants)
    text.sample(std::to_string(count), {{"outcome", outcome}});
  text.head("hansa_round_seconds", "histogram", "Time from a round's start to its commit.");
  text.histogram(v.round_seconds);
  text.head("hansa_round_phase_seconds", "histogram", "Time that a phase of a round took.");
  for (const auto& [phase, histogram] : v.phase_seconds) text.histogram(histogram, {{"phase", phase}});
}

void add_clients(Text& text, const MonitorValues& v) {
  text.counter("hansa_bytes_received_total", v.bytes_received, "Bytes received from clients.");
  text.counter("hansa_bytes_sent_total", v.bytes_sent, "Bytes sent to clients.");
  text.gauge("hansa_clients_connected", v.clients_connected, "Clients that are connected.");
  text.gauge("hansa_clients_ready", v.clients_ready, "Clients that can take part in a round now.");
  text.gauge("hansa_clients_needed", v.clients_needed, "Clients that a round needs to start.");
  text.gauge("hansa_clients_left_out", v.clients_left_out,
             "Clients that are left out of rounds, for faults or by their own wish.");
  text.gauge("hansa_clients_admitted", v.clients_admitted, "Clients that may connect.");
  text.gauge("hansa_uploads_in_progress", v.uploads_in_progress, "Updates that are being received.");
  text.gauge("hansa_upload_queue", v.upload_queue, "Updates that wait to be received.");
}

void add_model(Text& text, const MonitorValues& v) {
  text.gauge("hansa_evaluations_waiting", v.evaluations_waiting, "Models that are still to be evaluated.");
  text.by_metric("hansa_training_metric", v.training,
                 "Mean over the examples of the last round's clients, as they report.");
  text.by_metric("hansa_evaluation_metric", v.evaluation,
                 "Mean over the aggregator's held-out examples, of the newest evaluation.");
  text.by_metric("hansa_held_out_metric", v.held_out,
                 "Mean over the clients' held-out examples, of the newest measurement.");
  text.by_metric("hansa_held_out_mean_of_clients", v.held_out_clients,
                 "Mean of the clients' means on held-out examples, each client counted once.");
  text.by_metric("hansa_held_out_worst_tenth", v.held_out_worst_tenth,
                 "Mean of the worst tenth of the clients' means on held-out examples.");
  text.gauge("hansa_update_norm", v.update_norm, "Norm of the last round's mean update.");
  text.gauge("hansa_model_values", v.model_values, "Values of the model.");
}

void add_process(Text& text, const MonitorValues& v, const HttpValues& http, const ProcessUsage& process) {
  text.head("hansa_event_loop_lag_seconds", "histogram",
            "How late a due tick of the aggregator's event loop is handled.");
  text.histogram(v.event_loop_lag_seconds);
  text.counter("hansa_warnings_total", v.warnings, "Warnings in the log.");
  text.counter("hansa_errors_total", v.errors, "Errors in the log.");
  text.gauge("hansa_certificates_expire_seconds", v.certificates_expire_seconds,
             "Time until the first certificate of a client that takes part expires; negative if it has.");
  text.counter("hansa_secure_recovered_total", v.secure_recovered,
               "Clients whose masks were rebuilt, because they did not send a masked vector.");
  text.head("hansa_http_requests_total", "counter", "Responses of the dashboard's server, by status.");
  for (const auto& [code, count] : http.requests)
    text.sample(std::to_string(count), {{"code", std::to_string(code)}});
  text.gauge("hansa_http_event_streams", http.event_streams, "Event streams that are open.");
  text.gauge("process_resident_memory_bytes", process.resident_bytes, "Resident memory size in bytes.");
  text.head("process_cpu_seconds_total", "counter", "Total user and system CPU time spent in seconds.");
  text.sample(text_of(process.cpu_seconds));
  text.gauge("process_open_fds", process.open_fds, "Number of open file descriptors.");
  text.gauge("process_max_fds", process.fds_max, "Maximum number of open file descriptors.");
  text.gauge("process_start_time_seconds", process.start_time_seconds,
             "Start time of the process since unix epoch in seconds.");
}

}  // namespace

void Histogram::observe(double seconds) {
  const auto bucket = std::ranges::lower_bound(bounds_, seconds) - bounds_.begin();
  ++counts_[static_cast<std::size_t>(bucket)];
  sum_ += seconds;
}

std::string prometheus_text(const MonitorValues& values, const HttpValues& http,
                            const ProcessUsage& process) {
  Text text;
  text.head("hansa_info", "gauge", "What runs; always 1.");
  text.sample("1", {{"version", values.version},
                    {"commit", values.commit},
                    {"protocol", std::to_string(values.protocol)},
                    {"federation", values.federation},
                    {"run", values.run}});
  add_rounds(text, values);
  add_clients(text, values);
  add_model(text, values);
  add_process(text, values, http, process);
  return text.take();
}

}  // namespace hansa::server
