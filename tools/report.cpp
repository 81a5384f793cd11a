#include "tools/report.h"

#include <algorithm>
#include <array>
#include <map>
#include <set>

#include <fmt/format.h>

#include "common/metrics_text.h"
#include "common/terminal_text.h"
#include "common/text.h"
#include "server/store/held_out.h"
#include "server/store/training_metrics.h"
#include "tools/html_table.h"
#include "tools/markup.h"
#include "tools/report_style.h"
#include "tools/run_charts.h"
#include "tools/text_table.h"

namespace hansa::tools {
namespace {

using server::Outcome;
using server::Participation;
using server::RoundRecord;
using server::RunView;

constexpr std::size_t rounds_max = 400;  // in the table of rounds
constexpr std::size_t clients_max = 500;
constexpr std::size_t settings_max = 300;
constexpr std::size_t abandoned_max = 50;
constexpr std::size_t configuration_bytes_max = 64 << 10;
constexpr std::size_t text_characters_max = 160;  // of a cell that a client wrote

std::string section(const std::string& id, const std::string& title, const std::string& content,
                    const char* kind = "") {
  return fmt::format(
      "<section id=\"{0}\" aria-labelledby=\"{0}-title\"{3}>\n<h2 id=\"{0}-title\">{1}</h2>\n{2}</section>\n",
      id, escaped(title), content, kind);
}
std::string paragraph(const std::string& text) { return "<p>" + escaped(text) + "</p>\n"; }

// Facts as a list of terms.
class Facts {
 public:
  void add(const std::string& term, const std::string& fact) {
    html_ += fmt::format("<dt>{}</dt><dd>{}</dd>\n", escaped(term), escaped(clipped(printable(fact), 400)));
  }
  [[nodiscard]] std::string html() const { return "<dl>\n" + html_ + "</dl>\n"; }

 private:
  std::string html_;
};

std::string short_text(const std::string& text) { return clipped(printable(text), text_characters_max); }

std::uint64_t sum_at_most_max(std::uint64_t a, std::uint64_t b) { return a + b < a ? UINT64_MAX : a + b; }

// --- summary

std::string last_means(const RunView& view) {
  if (view.evaluations.empty()) return "";
  const auto& [round, metrics] = *view.evaluations.rbegin();
  return fmt::format("{}, after round {}", means_text(metrics), round.value);
}

std::string summary(const ReportContent& content) {
  const RunView& view = content.view;
  Facts facts;
  facts.add("Federation", view.identity.federation);
  facts.add("State", view.end && content.state == RunState::finished
                         ? fmt::format("finished: {}", view.end->why)
                         : std::string(name(content.state)));
  facts.add("Rounds", std::to_string(view.rounds.size()));
  if (const auto best = server::best_of(view)) facts.add("Best", text_of(*best));
  if (const std::string means = last_means(view); !means.empty()) facts.add("Last evaluation", means);
  if (!view.rounds.empty()) {
    const RoundRecord& last = view.rounds.back();
    facts.add("Last training", means_text(server::training_metrics(last)));
    if (const auto measured = server::held_out(last))
      facts.add("Held out on the clients",
                fmt::format("{}, after round {}", text_of(*measured), measured->of_round.value));
    std::uint64_t up = 0, down = 0, lost = 0, selected = 0;
    double seconds = 0;
    for (const RoundRecord& round : view.rounds) {
      const server::RoundTotals totals = server::totals_of(round);
      up = sum_at_most_max(up, totals.bytes_up);
      down = sum_at_most_max(down, totals.bytes_down);
      selected += round.participations.size();
      lost += round.participations.size() - totals.counted;
      seconds += round.seconds;
    }
    facts.add("First round", view.rounds.front().started_at);
    facts.add("Time in rounds", duration_text(std::clamp(seconds, 0.0, 1e9)));
    facts.add("Traffic", fmt::format("{} up, {} down", bytes_text(up), bytes_text(down)));
    facts.add("Updates", fmt::format("{} counted, {} lost", selected - lost, lost));
    facts.add("Model", last.model.text());
  }
  facts.add("Abandoned attempts", view.abandoned.size() == server::abandoned_attempts_max
                                      ? fmt::format("at least {}", view.abandoned.size())
                                      : std::to_string(view.abandoned.size()));
  if (!view.identity.started_from.empty()) facts.add("Started from", view.identity.started_from);
  if (view.identity.kind == server::RunKind::simulated) facts.add("Kind", "simulated");
  return section("summary", "Summary", facts.html());
}

// --- plots

std::string figure(const Chart& chart, const std::string& id, double panel_height) {
  if (chart.panels.empty()) return "";
  return "<figure tabindex=\"0\">\n" + svg_of(chart, {900, panel_height, ChartPlace::page, id}) +
         "</figure>\n";
}

std::string plots(const RunView& view) {
  const RunSeries run{view.identity.run, server::series_of(server::rows_of(view))};
  const std::vector<RunSeries> runs{run};
  Chart learning = learning_chart(runs);
  learning.title = "Accuracy and loss by round";
  std::string out = figure(learning, "learning", 230);
  const auto add = [&](const char* title, const char* id, const std::vector<std::string>& names) {
    out += figure(combined_chart(run, title, names), id, 150);
  };
  add("clients by round", "clients", {"clients/selected", "clients/counted", "clients/lost"});
  add("seconds by round", "seconds", {"round/seconds", "secure/setup_seconds", "secure/unmask_seconds"});
  add("bytes by round", "bytes", {"bytes/up", "bytes/down"});
  add("norm of the mean update by round", "norm", {"round/update_norm"});
  if (out.empty()) out = paragraph("No round is committed yet.");
  return section("plots", "Plots", out);
}

// --- rounds

// Which rounds the table has: all, or the first, the last, and some in between at equal distances.
std::vector<const RoundRecord*> shown_rounds(const RunView& view) {
  const std::size_t all = view.rounds.size();
  std::vector<const RoundRecord*> out;
  if (all <= rounds_max) {
    for (const RoundRecord& round : view.rounds) out.push_back(&round);
    return out;
  }
  constexpr std::size_t first = 50, last = 150, between = rounds_max - first - last;
  std::set<std::size_t> places;
  for (std::size_t i = 0; i < first; ++i) places.insert(i);
  for (std::size_t i = 0; i < between; ++i) places.insert(first + i * (all - first - last) / between);
  for (std::size_t i = all - last; i < all; ++i) places.insert(i);
  for (const std::size_t place : places) out.push_back(&view.rounds[place]);
  return out;
}

// The names of the first metrics of the newest round that has any.
std::vector<std::string> names_of(const Metrics& metrics, std::size_t most) {
  std::vector<std::string> out;
  for (const Metric& metric : metrics)
    if (out.size() < most) out.push_back(metric.name);
  return out;
}

std::string rounds(const RunView& view) {
  if (view.rounds.empty()) return section("rounds", "Rounds", paragraph("No round is committed yet."));
  const std::vector<std::string> trained = names_of(server::training_metrics(view.rounds.back()), 2);
  const std::vector<std::string> tested =
      view.evaluations.empty() ? std::vector<std::string>() : names_of(view.evaluations.rbegin()->second, 3);
  const bool secure =
      std::ranges::any_of(view.rounds, [](const RoundRecord& r) { return r.secure.has_value(); });
  std::vector<HtmlColumn> columns{{"Round"},   {"Started"}, {"Seconds"},
                                  {"Attempt"}, {"Counted"}, {"Lost", CellKind::text}};
  for (const std::string& name : trained) columns.push_back({"Train " + name});
  for (const std::string& name : tested) columns.push_back({"Test " + name});
  if (secure) columns.push_back({"Recovered"});
  columns.insert(columns.end(), {{"Up"}, {"Down"}});
  const auto shown = shown_rounds(view);
  HtmlTable table(
      shown.size() == view.rounds.size()
          ? fmt::format("All {} rounds", shown.size())
          : fmt::format("{} of {} rounds: the first, the last, and some in between; \"hansa export-metrics\" "
                        "writes all",
                        shown.size(), view.rounds.size()),
      columns);
  for (const RoundRecord* round : shown) {
    const server::RoundTotals totals = server::totals_of(*round);
    const Metrics training = server::training_metrics(*round);
    const Metrics* test = server::find_evaluation(view, round->round);
    std::vector<std::string> row{std::to_string(round->round.value),
                                 round->started_at,
                                 fmt::format("{:.2f}", round->seconds),
                                 std::to_string(round->attempt),
                                 fmt::format("{} of {}", totals.counted, round->participations.size()),
                                 short_text(server::lost_text(*round))};
    for (const std::string& name : trained) row.push_back(mean_text(training, name));
    for (const std::string& name : tested) row.push_back(test == nullptr ? "-" : mean_text(*test, name));
    if (secure) row.push_back(round->secure ? std::to_string(round->secure->recovered) : "-");
    row.insert(row.end(), {bytes_text(totals.bytes_up), bytes_text(totals.bytes_down)});
    table.add_row(row);
  }
  return section("rounds", "Rounds", table.html(), " class=\"page\"");
}

std::string abandoned(const RunView& view) {
  if (view.abandoned.empty()) return "";
  const std::size_t shown = std::min(view.abandoned.size(), abandoned_max);
  HtmlTable table(
      fmt::format("The last {} of {} attempts that came to nothing", shown, view.abandoned.size()),
      {{"Time", CellKind::text}, {"Round"}, {"Attempt"}, {"Reason", CellKind::text}});
  for (std::size_t i = view.abandoned.size() - shown; i < view.abandoned.size(); ++i) {
    const server::AbandonedAttempt& attempt = view.abandoned[i];
    table.add_row({attempt.at, std::to_string(attempt.round.value), std::to_string(attempt.attempt),
                   short_text(attempt.reason)});
  }
  return section("abandoned", "Abandoned attempts", table.html());
}

// --- participants

struct Participant {
  std::map<Outcome, std::uint32_t> outcomes;
  std::uint32_t selected = 0, lost = 0;
  double train_seconds = 0;
  std::uint32_t trained = 0;  // rounds in which it reported a time
  std::uint64_t up = 0, down = 0;
  std::string last_lost;
};

std::string participants(const RunView& view) {
  std::map<std::string, Participant> clients;
  for (const RoundRecord& round : view.rounds)
    for (const Participation& p : round.participations) {
      Participant& client = clients[p.client];
      ++client.selected;
      ++client.outcomes[p.outcome];
      client.up = sum_at_most_max(client.up, p.bytes_up);
      client.down = sum_at_most_max(client.down, p.bytes_down);
      if (p.train_seconds > 0 && p.train_seconds < 1e9) {
        client.train_seconds += p.train_seconds;
        ++client.trained;
      }
      if (p.outcome == Outcome::counted) continue;
      ++client.lost;
      client.last_lost = fmt::format("round {}: {}{}", round.round.value, server::outcome_text(p.outcome),
                                     p.reason.empty() ? "" : " (" + p.reason + ")");
    }
  if (clients.empty()) return "";
  std::vector<std::pair<std::string, const Participant*>> order;
  for (const auto& [client, participant] : clients) order.emplace_back(client, &participant);
  std::ranges::stable_sort(order,
                           [](const auto& a, const auto& b) { return a.second->lost > b.second->lost; });
  const std::size_t shown = std::min(order.size(), clients_max);
  HtmlTable table(shown == order.size()
                      ? fmt::format("All {} clients; those that were lost most often come first", shown)
                      : fmt::format("{} of {} clients: those that were lost most often", shown, order.size()),
                  {{"Client", CellKind::text},
                   {"Selected"},
                   {"Counted"},
                   {"No answer"},
                   {"Disconnected"},
                   {"Declined"},
                   {"Rejected"},
                   {"Late"},
                   {"Training"},
                   {"Up"},
                   {"Down"},
                   {"Last lost", CellKind::text}});
  constexpr std::array outcomes{Outcome::counted,  Outcome::no_answer, Outcome::disconnected,
                                Outcome::declined, Outcome::rejected,  Outcome::late};
  for (std::size_t i = 0; i < shown; ++i) {
    const auto& [client, p] = order[i];
    std::vector<std::string> row{short_text(client), std::to_string(p->selected)};
    for (const Outcome outcome : outcomes) {
      const auto found = p->outcomes.find(outcome);
      row.push_back(std::to_string(found == p->outcomes.end() ? 0U : found->second));
    }
    row.insert(row.end(), {p->trained > 0 ? fmt::format("{:.2f} s", p->train_seconds / p->trained) : "-",
                           bytes_text(p->up), bytes_text(p->down), short_text(p->last_lost)});
    table.add_row(row);
  }
  return section("participants", "Participants", table.html(), " class=\"page\"");
}

std::string devices(const ReportContent& content) {
  if (content.devices.empty()) return "";
  const std::size_t shown = std::min(content.devices.size(), clients_max);
  HtmlTable table(shown == content.devices.size()
                      ? fmt::format("All {} devices of the register", shown)
                      : fmt::format("The first {} of {} devices", shown, content.devices.size()),
                  {{"Device", CellKind::text},
                   {"Label", CellKind::text},
                   {"State", CellKind::text},
                   {"Last seen", CellKind::text},
                   {"Software", CellKind::text},
                   {"Examples"},
                   {"Counted"},
                   {"Lost"},
                   {"Last reason", CellKind::text}});
  for (std::size_t i = 0; i < shown; ++i) {
    const DeviceRow& row = content.devices[i];
    const server::DeviceActivity& activity = row.device.activity;
    table.add_row({short_text(row.device.name), short_text(row.device.label), state_text(row, content.now),
                   activity.last_seen ? rfc3339_text(*activity.last_seen) : "-",
                   short_text(activity.software), std::to_string(activity.examples),
                   std::to_string(activity.counted), std::to_string(activity.lost),
                   short_text(activity.lost_why)});
  }
  return section("devices", "Devices",
                 paragraph("Of the federation's register, over all of its runs.") + table.html());
}

// --- what the aggregator could see

std::string privacy(const RunView& view) {
  std::size_t secure = 0, recovered = 0, recovered_most = 0;
  std::uint32_t threshold_least = UINT32_MAX, neighbours_least = UINT32_MAX, value_bits = 0;
  std::size_t summed_least = SIZE_MAX;
  for (const RoundRecord& round : view.rounds) {
    if (!round.secure) continue;
    ++secure;
    recovered += round.secure->recovered;
    recovered_most = std::max<std::size_t>(recovered_most, round.secure->recovered);
    threshold_least = std::min(threshold_least, round.secure->threshold);
    neighbours_least = std::min(neighbours_least, round.secure->neighbours);
    value_bits = std::max(value_bits, round.secure->value_bits);
    summed_least = std::min<std::size_t>(summed_least, server::counted_clients(round));
  }
  const std::size_t open = view.rounds.size() - secure;
  std::string out;
  Facts facts;
  facts.add("Rounds with secure aggregation", fmt::format("{} of {}", secure, view.rounds.size()));
  if (secure > 0) {
    out += paragraph(
        "In rounds with secure aggregation the aggregator saw masked updates, and the sum of those that were "
        "counted: no "
        "client's own update, number of examples or metric. It saw who took part, when, and how many bytes "
        "each sent.");
    facts.add("Fewest updates in a sum", std::to_string(summed_least));
    facts.add("Smallest threshold",
              fmt::format("{} shares open a mask, of {} neighbours", threshold_least, neighbours_least));
    facts.add("Dropouts recovered", fmt::format("{}, at most {} in a round", recovered, recovered_most));
    facts.add("Bits of a value", std::to_string(value_bits));
  }
  if (open > 0)
    out += paragraph(
        fmt::format("In {} rounds without secure aggregation the aggregator saw each client's update, its "
                    "number of examples and its metrics, by the client's name.",
                    open == view.rounds.size() ? "all" : std::to_string(open)));
  if (view.statistics)
    out +=
        paragraph(fmt::format("Before the first round the aggregator computed the mean and the deviation of "
                              "{} input columns over the "
                              "data of all clients.",
                              view.statistics->columns()));
  out += paragraph(
      "No noise was added for differential privacy: what a model or a sum reveals about single examples has "
      "no bound. No "
      "example left a device.");
  return section("privacy", "What the aggregator could see", out + facts.html());
}

// --- configuration

std::string configuration(const ReportContent& content) {
  const auto& versions = content.view.configurations;
  if (versions.empty())
    return section("configuration", "Configuration", paragraph("The run keeps no copy of federation.toml."));
  std::string out;
  if (versions.size() > 1) {
    std::string changes;
    for (std::size_t i = 1; i < versions.size(); ++i)
      changes += (i > 1 ? ", " : "") + std::to_string(versions[i].after.value);
    out += paragraph("The configuration changed after round " + clipped(changes, 400) +
                     ". This is the newest one.");
  }
  if (!content.settings.empty()) {
    HtmlTable table("Every setting, with its default where none is written",
                    {{"Setting", CellKind::text}, {"Value", CellKind::text}});
    for (std::size_t i = 0; i < std::min(content.settings.size(), settings_max); ++i)
      table.add_row({content.settings[i].first, short_text(content.settings[i].second)});
    out += table.html();
  }
  std::string text = versions.back().text;
  const bool cut = text.size() > configuration_bytes_max;
  if (cut) text.resize(configuration_bytes_max);
  out += "<h3>federation.toml</h3>\n<pre tabindex=\"0\">" + escaped_lines(text) + "</pre>\n";
  if (cut) out += paragraph("The rest of the file is left out.");
  return section("configuration", "Configuration", out, " class=\"page\"");
}

std::string navigation(const std::vector<std::pair<const char*, std::string>>& sections) {
  std::string out;
  for (const auto& [title, html] : sections) {
    const std::size_t id = html.find("id=\"") + 4;
    out += fmt::format("<li><a href=\"#{}\">{}</a></li>\n", html.substr(id, html.find('"', id) - id), title);
  }
  return "<nav aria-label=\"Sections\"><ul>\n" + out + "</ul></nav>\n";
}

}  // namespace

std::string report_html(const ReportContent& content) {
  std::vector<std::pair<const char*, std::string>> sections;
  const auto add = [&](const char* title, std::string html) {
    if (!html.empty()) sections.emplace_back(title, std::move(html));
  };
  add("Summary", summary(content));
  add("Plots", plots(content.view));
  add("Privacy", privacy(content.view));
  add("Abandoned attempts", abandoned(content.view));
  add("Rounds", rounds(content.view));
  add("Participants", participants(content.view));
  add("Devices", devices(content));
  add("Configuration", configuration(content));
  const std::string title = escaped("Run " + content.view.identity.run);
  std::string out = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src "
      "'unsafe-inline'\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<meta name=\"color-scheme\" content=\"light "
      "dark\">\n<title>{}</title>\n<style>{}{}</style>\n</head>\n<body>\n"
      "<header>\n<h1>{}</h1>\n<p class=\"dim\">Report of a federated training, made at {}.</p>\n</header>\n",
      title, report_css, chart_style(), title, rfc3339_text(content.now));
  out += navigation(sections) + "<main>\n";
  for (const auto& [name, html] : sections) out += html;
  return out + "</main>\n</body>\n</html>\n";
}

}  // namespace hansa::tools
