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

enum class Better : std::uint8_t { higher, lower };

// A number of the spread. Where it is an interval, the worse end, if that exists; the same number may be exact in one round
// and an interval in the next.
std::vector<ChartPoint> spread_points(const RunSeries& run, const std::string& name, Better better) {
  std::vector<ChartPoint> out;
  for (const std::string& form : {name, name + (better == Better::higher ? ".from" : ".to")})
    if (const Series* series = server::find_series(run.series, form)) {
      const auto points = points_of(*series);
      out.insert(out.end(), points.begin(), points.end());
    }
  std::ranges::stable_sort(out, {}, &ChartPoint::x);
  return out;
}

ChartPanel spread_panel(const RunSeries& run, const std::string& metric, Better better) {
  struct Drawn {
    const char* prefix;
    const char* suffix;
    const char* label;
  };
  constexpr std::array<Drawn, 4> drawn{
      {{"", ".mean_of_clients", "mean of the clients"},
       {"", ".worst_tenth", "worst tenth of the clients"},
       {"personal_", ".mean_of_clients", "personal models: mean of the clients"},
       {"personal_", ".worst_tenth", "personal models: worst tenth"}}};
  ChartPanel out{metric + " held out on the clients", {}, {}};
  for (std::size_t i = 0; i < drawn.size(); ++i) {
    const std::string name = std::string("held_out/") + drawn[i].prefix + metric + drawn[i].suffix;
    auto points = spread_points(run, name, better);
    if (!points.empty()) out.lines.push_back({drawn[i].label, std::move(points), i});
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

Chart spread_chart(const RunSeries& run) {
  return chart_of(run.run,
                  {spread_panel(run, "accuracy", Better::higher), spread_panel(run, "loss", Better::lower)});
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
