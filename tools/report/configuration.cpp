#include "tools/report/sections.h"

#include <algorithm>

#include <fmt/format.h>

#include "common/terminal_text.h"
#include "tools/markup.h"
#include "tools/report/html_table.h"
#include "tools/report/parts.h"

namespace hansa::tools {
namespace {

constexpr std::size_t settings_max = 300;
constexpr std::size_t configuration_bytes_max = 64 << 10;

}  // namespace

std::string configuration_section(const ReportContent& content) {
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
  return section("configuration", "Configuration", out, on_a_new_page);
}

}  // namespace hansa::tools
