#include "tools/chart.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <limits>
#include <optional>

#include <fmt/format.h>

#include "common/terminal_text.h"
#include "common/text.h"
#include "tools/markup.h"

namespace hansa::tools {
namespace {

constexpr std::size_t stretches_max = 400;  // of a line
constexpr std::size_t label_characters_max = 44;
constexpr double left = 66, right = 16, title_height = 24, legend_row = 18, axis_height = 34, gap = 18;

// Okabe and Ito, "Color Universal Design" (2008): told apart with every kind of colour vision. The dark ones are lighter.
constexpr std::array<const char*, 7> light{"#0072b2", "#d55e00", "#009e73", "#a3468a",
                                           "#8a6d00", "#3a8fc4", "#333333"};
constexpr std::array<const char*, 7> dark{"#56b4e9", "#ff9d57", "#2fd3a5", "#e19ccb",
                                          "#f0e442", "#9fd3f5", "#dddddd"};
constexpr std::array<const char*, 4> dashes{"none", "7 3", "2 3", "9 3 2 3"};

std::string line_class(std::size_t style) {
  return fmt::format("c{} d{}", style % light.size(), (style / light.size() + style) % dashes.size());
}

struct Extent {
  double least = std::numeric_limits<double>::infinity();
  double most = -std::numeric_limits<double>::infinity();
  void add(double value) {
    if (!std::isfinite(value)) return;
    least = std::min(least, value);
    most = std::max(most, value);
  }
  [[nodiscard]] bool is_empty() const { return least > most; }
};

// What a panel's values span; never empty, and never of one value.
Extent widened(Extent extent) {
  if (extent.is_empty()) return {0, 1};
  // Beyond this, differences are not finite.
  constexpr double magnitude_most = 1e300;
  extent.least = std::clamp(extent.least, -magnitude_most, magnitude_most);
  extent.most = std::clamp(extent.most, -magnitude_most, magnitude_most);
  const double range = extent.most - extent.least;
  const double least_range = std::max(std::abs(extent.most), 1e-9) * 1e-6;
  if (range > least_range) return extent;
  // Most series are never negative, such as times and losses.
  if (extent.least == 0 && extent.most == 0) return {0, 1};
  const double half = std::max(std::abs(extent.most) * 0.1, 1e-3);
  return {extent.least - half, extent.most + half};
}

std::string tick_text(double value, double step) {
  if (std::abs(value) < step * 1e-6) return "0";
  if (std::abs(value) >= 1e15 || step < 1e-6) return fmt::format("{:.3g}", value);
  for (const auto& [size, unit] : {std::pair{1e12, "T"}, {1e9, "G"}, {1e6, "M"}, {1e3, "k"}})
    if (step >= size / 10 && std::abs(value) >= size) return fmt::format("{:.4g}{}", value / size, unit);
  const int decimals = std::clamp(static_cast<int>(std::ceil(-std::log10(step) - 1e-9)), 0, 8);
  return fmt::format("{:.{}f}", value, decimals);
}

// From values to the SVG's coordinates.
struct Scale {
  Extent x, y;
  double top = 0, height = 0, width = 0;
  [[nodiscard]] double to_x(double value) const {
    return left + (value - x.least) / (x.most - x.least) * width;
  }
  [[nodiscard]] double to_y(double value) const {
    const double inside = std::clamp(value, y.least, y.most);
    return top + height - (inside - y.least) / (y.most - y.least) * height;
  }
};

std::string path_of(const std::vector<ChartPoint>& points, const Scale& scale) {
  std::string out;
  bool pen_is_down = false;
  for (const ChartPoint& point : points) {
    if (!std::isfinite(point.y)) {
      pen_is_down = false;
      continue;
    }
    out += fmt::format("{}{:.1f} {:.1f}", pen_is_down ? "L" : "M", scale.to_x(point.x), scale.to_y(point.y));
    pen_is_down = true;
  }
  return out;
}

std::string band_path(const ChartBand& band, const Scale& scale) {
  std::vector<ChartPoint> low, high;
  for (std::size_t i = 0; i < std::min(band.low.size(), band.high.size()); ++i) {
    if (!std::isfinite(band.low[i].y) || !std::isfinite(band.high[i].y)) continue;
    low.push_back(band.low[i]);
    high.push_back(band.high[i]);
  }
  // Both are cut at the same places, and the band is never narrower than the values.
  const std::size_t step = low.size() / stretches_max + 1;
  std::string out, back;
  for (std::size_t i = 0; i < low.size(); i += step) {
    double least = low[i].y, most = high[i].y;
    for (std::size_t at = i; at < std::min(i + step, low.size()); ++at) {
      least = std::min(least, low[at].y);
      most = std::max(most, high[at].y);
    }
    out += fmt::format("{}{:.1f} {:.1f}", out.empty() ? "M" : "L", scale.to_x(low[i].x), scale.to_y(most));
    back = fmt::format("L{:.1f} {:.1f}", scale.to_x(low[i].x), scale.to_y(least)) + back;
  }
  return out.empty() ? out : out + back + "Z";
}

Extent x_extent(const Chart& chart) {
  Extent out;
  for (const ChartPanel& panel : chart.panels)
    for (const ChartLine& line : panel.lines)
      for (const ChartPoint& point : line.points) out.add(point.x);
  return widened(out);
}

Extent y_extent(const ChartPanel& panel) {
  Extent out;
  for (const ChartLine& line : panel.lines)
    for (const ChartPoint& point : line.points) out.add(point.y);
  for (const ChartBand& band : panel.bands) {
    for (const ChartPoint& point : band.low) out.add(point.y);
    for (const ChartPoint& point : band.high) out.add(point.y);
  }
  return widened(out);
}

struct LegendEntry {
  std::string label;
  std::string mark;  // SVG at (0, 0), 24 wide
  double width = 0;
};

std::vector<LegendEntry> legend_of(const ChartPanel& panel) {
  std::vector<LegendEntry> out;
  const auto add = [&](const std::string& label, std::string mark) {
    const std::string shown = clipped(printable(label), label_characters_max);
    out.push_back({shown, std::move(mark), 40 + 7.0 * static_cast<double>(character_count(shown))});
  };
  for (const ChartLine& line : panel.lines)
    add(line.label, fmt::format("<path class=\"line {}\" d=\"M0 -4H24\"/>", line_class(line.style)));
  for (const ChartBand& band : panel.bands)
    add(band.label, fmt::format("<rect class=\"band c{}\" x=\"0\" y=\"-9\" width=\"24\" height=\"10\"/>",
                                band.style % light.size()));
  return out;
}

// The rows of a legend; the return value is their height.
double add_legend(std::string& out, const ChartPanel& panel, double top, double width) {
  double x = left, y = top;
  for (const LegendEntry& entry : legend_of(panel)) {
    if (x > left && x + entry.width > left + width) {
      x = left;
      y += legend_row;
    }
    out += fmt::format("<g transform=\"translate({:.1f} {:.1f})\">{}<text x=\"30\" y=\"0\">{}</text></g>\n",
                       x, y + 12, entry.mark, escaped(entry.label));
    x += entry.width;
  }
  return y + legend_row - top;
}

void add_axes(std::string& out, const Scale& scale) {
  const auto y_ticks = axis_ticks(scale.y.least, scale.y.most, 5);
  for (const double tick : y_ticks) {
    const double y = scale.to_y(tick);
    out += fmt::format(
        "<path class=\"grid\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>"
        "<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>\n",
        left, y, left + scale.width, left - 8, y + 4, tick_text(tick, y_ticks[1] - y_ticks[0]));
  }
  const double bottom = scale.top + scale.height;
  for (const double tick : axis_ticks(scale.x.least, scale.x.most, 8)) {
    // Rounds are whole numbers.
    if (tick < scale.x.least || tick > scale.x.most || tick != std::floor(tick)) continue;
    out += fmt::format(
        "<path class=\"axis\" d=\"M{0:.1f} {1:.1f}v4\"/>"
        "<text class=\"tick\" x=\"{0:.1f}\" y=\"{2:.1f}\" text-anchor=\"middle\">{3:.0f}</text>\n",
        scale.to_x(tick), bottom, bottom + 17, tick);
  }
  out +=
      fmt::format("<path class=\"axis\" d=\"M{:.1f} {:.1f}H{:.1f}\"/>\n", left, bottom, left + scale.width);
}

// Draws a panel from `top` on; returns its height.
double add_panel(std::string& out, const ChartPanel& panel, const Extent& x, double top,
                 const ChartForm& form) {
  const double width = form.width - left - right;
  out += fmt::format("<text class=\"title\" x=\"{}\" y=\"{:.1f}\">{}</text>\n", left, top + 15,
                     escaped(panel.title));
  const double legend = add_legend(out, panel, top + title_height, width);
  Scale scale{x, y_extent(panel), top + title_height + legend + 6, form.panel_height, width};
  const auto ticks = axis_ticks(scale.y.least, scale.y.most, 5);
  scale.y = {ticks.front(), ticks.back()};
  add_axes(out, scale);
  for (const ChartBand& band : panel.bands)
    if (const std::string path = band_path(band, scale); !path.empty())
      out += fmt::format("<path class=\"band c{}\" d=\"{}\"/>\n", band.style % light.size(), path);
  for (const ChartLine& line : panel.lines) {
    const auto points = thinned(line.points, stretches_max);
    if (const std::string path = path_of(points, scale); !path.empty())
      out += fmt::format("<path class=\"line {}\" d=\"{}\"/>\n", line_class(line.style), path);
    // Few points are marked, and one alone would not be seen.
    if (points.size() <= 30)
      for (const ChartPoint& point : points)
        if (std::isfinite(point.y))
          out += fmt::format("<circle class=\"dot c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"2.5\"/>\n",
                             line.style % light.size(), scale.to_x(point.x), scale.to_y(point.y));
  }
  out += fmt::format("<text class=\"tick\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">round</text>\n",
                     left + width, scale.top + form.panel_height + 31);
  return scale.top - top + form.panel_height + axis_height + gap;
}

// The rules of all charts; `scope` is before each selector.
std::string rules(const std::string& scope, const std::array<const char*, 7>& colours, const char* text,
                  const char* grid) {
  std::string out;
  out += fmt::format(
      "{0} text{{font:12px system-ui,sans-serif;fill:{1}}}{0} .tick{{font-size:11px}}"
      "{0} .title{{font-size:14px;font-weight:600}}"
      "{0} .line{{fill:none;stroke-width:2;stroke-linejoin:round}}"
      "{0} .band{{fill-opacity:.2;stroke:none}}{0} .grid{{stroke:{2};fill:none}}"
      "{0} .axis{{stroke:{1};fill:none}}",
      scope, text, grid);
  for (std::size_t i = 0; i < colours.size(); ++i)
    out += fmt::format("{0} .line.c{1}{{stroke:{2}}}{0} .band.c{1},{0} .dot.c{1}{{fill:{2}}}", scope, i,
                       colours[i]);
  for (std::size_t i = 1; i < dashes.size(); ++i)
    out += fmt::format("{} .line.d{}{{stroke-dasharray:{}}}", scope, i, dashes[i]);
  return out;
}

}  // namespace

std::vector<double> axis_ticks(double least, double most, int count) {
  const double rough = (most - least) / count;
  const double power = std::pow(10.0, std::floor(std::log10(rough)));
  double step = power * 10;
  for (const double factor : {1.0, 2.0, 5.0})
    if (power * factor >= rough * 0.999) {
      step = power * factor;
      break;
    }
  std::vector<double> out;
  const double first = std::floor(least / step + 1e-9);
  for (int i = 0; i <= 4 * count; ++i) {
    out.push_back((first + i) * step);
    if (out.size() > 1 && out.back() >= most - step * 1e-9) break;
  }
  return out;
}

std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points, std::size_t stretches) {
  if (points.size() <= 2 * stretches) return points;
  std::vector<ChartPoint> out;
  for (std::size_t i = 0; i < stretches; ++i) {
    const std::size_t from = i * points.size() / stretches, to = (i + 1) * points.size() / stretches;
    std::optional<std::size_t> low, high;
    for (std::size_t at = from; at < to; ++at) {
      if (!std::isfinite(points[at].y)) continue;
      if (!low || points[at].y < points[*low].y) low = at;
      if (!high || points[at].y > points[*high].y) high = at;
    }
    if (!low) {
      out.push_back({points[from].x, std::numeric_limits<double>::quiet_NaN()});
      continue;
    }
    out.push_back(points[std::min(*low, *high)]);
    if (*low != *high) out.push_back(points[std::max(*low, *high)]);
  }
  return out;
}

std::string chart_style() {
  return rules(".chart", light, "#222", "#e2e2e2") + "@media (prefers-color-scheme:dark){@media screen{" +
         rules(".chart", dark, "#ddd", "#3a3a3a") + "}}";
}

std::string svg_of(const Chart& chart, const ChartForm& form) {
  const Extent x = x_extent(chart);
  const bool is_file = form.place == ChartPlace::file;
  std::string body;
  double height = 8;
  if (is_file) {
    body += fmt::format("<text class=\"title\" x=\"{}\" y=\"26\">{}</text>\n", left, escaped(chart.title));
    height = 44;
  }
  for (const ChartPanel& panel : chart.panels) height += add_panel(body, panel, x, height, form);
  std::string out = is_file ? "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n" : "";
  out += fmt::format(
      "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"chart\" viewBox=\"0 0 {0:.0f} {1:.0f}\"{2} "
      "role=\"img\" aria-labelledby=\"{3}-title {3}-text\">\n"
      "<title id=\"{3}-title\">{4}</title>\n<desc id=\"{3}-text\">{5}</desc>\n",
      form.width, height,
      is_file ? fmt::format(" width=\"{:.0f}\" height=\"{:.0f}\"", form.width, height) : "", form.id,
      escaped(chart.title), escaped(chart.description));
  if (is_file)
    out += "<style>" + rules("", light, "#222", "#e2e2e2") +
           "</style>\n<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>\n";
  return out + body + "</svg>\n";
}

}  // namespace hansa::tools
