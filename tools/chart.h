// Line charts as SVG. Pure functions.
//
// A chart is a column of panels with the same x axis, the round. Points are thinned so that the size of the SVG does not
// depend on their number: of each stretch the lowest and the highest value stay. Where a value is not finite, the line
// has a gap. All texts are escaped.
#pragma once
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace hansa::tools {

struct ChartPoint {
  double x = 0;
  double y = 0;
};
struct ChartLine {
  std::string label;
  std::vector<ChartPoint> points;  // by ascending x
  std::size_t style = 0;  // lines of the same style have the same colour and dashes
};
// An area between two lines.
struct ChartBand {
  std::string label;
  std::vector<ChartPoint> low;
  std::vector<ChartPoint> high;  // at the same x as low
  std::size_t style = 0;
};
struct ChartPanel {
  std::string title;
  std::vector<ChartLine> lines;
  std::vector<ChartBand> bands;
};
struct Chart {
  std::string title;
  std::string description;  // in words, for who does not see the picture
  std::vector<ChartPanel> panels;
};

enum class ChartPlace : std::uint8_t {
  file,  // with its own colours, on a white ground
  page,  // with the colours of chart_style(), as a part of an HTML page
};
struct ChartForm {
  double width = 900;
  double panel_height = 260;
  ChartPlace place = ChartPlace::file;
  std::string id = "chart";  // unique in its page: letters and digits
};
[[nodiscard]] std::string svg_of(const Chart& chart, const ChartForm& form);

// CSS for charts in a page, light and dark: the variables that their colours use.
[[nodiscard]] std::string chart_style();

// At most 2 * stretches points and the gaps between them.
[[nodiscard]] std::vector<ChartPoint> thinned(const std::vector<ChartPoint>& points, std::size_t stretches);
// Round numbers from at most `least` to at least `most`, about `count` of them. least < most; both finite.
[[nodiscard]] std::vector<double> axis_ticks(double least, double most, int count);

}  // namespace hansa::tools
