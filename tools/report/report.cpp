#include "tools/report/report.h"

#include <fmt/format.h>

#include "tools/chart.h"
#include "tools/markup.h"
#include "tools/report/sections.h"
#include "tools/report/style.h"

namespace hansa::tools {
namespace {

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
  add("Summary", summary_section(content));
  add("Plots", plots_section(content.view));
  add("Privacy", privacy_section(content.view));
  add("Abandoned attempts", abandoned_section(content.view));
  add("Rounds", rounds_section(content.view));
  add("Participants", participants_section(content.view));
  add("Devices", devices_section(content));
  add("Configuration", configuration_section(content));
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
