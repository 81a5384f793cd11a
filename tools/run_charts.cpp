#include "tools/run_charts.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <optional>

#include <fmt/format.h>

namespace hansa::tools {
namespace {

using server::Series;

struct Source {
  const char* group;
  const char* label;
};
constexpr std::array<Source, 3> sources{
    {{"evaluation", "evaluation"}, {"held_out", "held out on the clients"}, {"train", "training"}}};

std::vector<ChartPoint> points_of(const Series& series) {
  std::vector<ChartPoint> out;
  for (const server::SeriesPoint& point : series.points)
    out.push_back({static_cast<double>(point.round.value), point.value});
  return out;
}

// The middle half of the clients. Of a secure sum the quartiles are intervals, of which the outer ends count.
std::optional<ChartBand> band_of(const RunSeries& run, const std::string& name, std::size_t style) {
  const auto find = [&](const std::string& quartile, const std::string& end) {
    const Series* exact = server::find_series(run.series, name + quartile);
    return exact != nullptr ? exact : server::find_series(run.series, name + quartile + end);
  };
  const Series* low = find(".lower_quartile", ".from");
  const Series* high = find(".upper_quartile", ".to");
  if (low == nullptr || high == nullptr) return std::nullopt;
  ChartBand out{"middle half of the clients", {}, {}, style};
  auto at = high->points.begin();
  for (const server::SeriesPoint& point : low->points) {
    while (at != high->points.end() && at->round < point.round) ++at;
    if (at == high->points.end() || at->round != point.round) continue;
    out.low.push_back({static_cast<double>(point.round.value), point.value});
    out.high.push_back({static_cast<double>(point.round.value), at->value});
  }
  return out;
}

ChartPanel panel_of_run(const RunSeries& run, const std::string& metric) {
  ChartPanel out{metric, {}, {}};
  for (std::size_t i = 0; i < sources.size(); ++i) {
    const std::string name = std::string(sources[i].group) + "/" + metric;
    const Series* series = server::find_series(run.series, name);
    if (series == nullptr) continue;
    out.lines.push_back({sources[i].label, points_of(*series), i});
    if (auto band = band_of(run, name, i)) out.bands.push_back(std::move(*band));
  }
  return out;
}

ChartPanel panel_of_runs(std::span<const RunSeries> runs, const std::string& metric) {
  ChartPanel out{metric, {}, {}};
  for (std::size_t i = 0; i < runs.size(); ++i)
    for (const Source& source : sources) {
      const std::string name = std::string(source.group) + "/" + metric;
      const Series* series = server::find_series(runs[i].series, name);
      if (series == nullptr) continue;
      out.lines.push_back({fmt::format("{} ({})", runs[i].run, source.label), points_of(*series), i});
      break;
    }
  return out;
}

// "evaluation: 0.1 after round 1, 0.8123 after round 20"
void describe(std::string& out, const ChartPanel& panel) {
  out += (out.empty() ? "" : " ") + panel.title + ": ";
  std::string lines;
  for (const ChartLine& line : panel.lines) {
    if (line.points.empty()) continue;
    const ChartPoint &first = line.points.front(), &last = line.points.back();
    lines += fmt::format("{}{} {:.4g} after round {:.0f}, {:.4g} after round {:.0f}",
                         lines.empty() ? "" : "; ", line.label, first.y, first.x, last.y, last.x);
  }
  out += lines + ".";
}

Chart chart_of(std::string title, std::vector<ChartPanel> panels) {
  Chart out{std::move(title), {}, {}};
  for (ChartPanel& panel : panels) {
    if (panel.lines.empty()) continue;
    describe(out.description, panel);
    out.panels.push_back(std::move(panel));
  }
  return out;
}

std::string title_of(std::span<const RunSeries> runs) {
  if (runs.size() == 1) return runs.front().run;
  return fmt::format("{} runs", runs.size());
}

}  // namespace

Chart learning_chart(std::span<const RunSeries> runs) {
  std::vector<ChartPanel> panels;
  for (const char* metric : {"accuracy", "loss"})
    panels.push_back(runs.size() == 1 ? panel_of_run(runs.front(), metric) : panel_of_runs(runs, metric));
  return chart_of(title_of(runs), std::move(panels));
}

Chart series_chart(std::span<const RunSeries> runs, std::span<const std::string> names) {
  std::vector<ChartPanel> panels;
  for (const std::string& name : names) {
    ChartPanel& panel = panels.emplace_back();
    panel.title = name;
    for (std::size_t i = 0; i < runs.size(); ++i)
      if (const Series* series = server::find_series(runs[i].series, name))
        panel.lines.push_back({runs[i].run, points_of(*series), i});
  }
  return chart_of(title_of(runs), std::move(panels));
}

Chart combined_chart(const RunSeries& run, const std::string& title, std::span<const std::string> names) {
  ChartPanel panel{title, {}, {}};
  for (std::size_t i = 0; i < names.size(); ++i)
    if (const Series* series = server::find_series(run.series, names[i]))
      panel.lines.push_back({names[i], points_of(*series), i});
  return chart_of(title, {panel});
}

}  // namespace hansa::tools
