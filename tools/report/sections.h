// The sections of a report, in their order on the page. Pure functions; an empty text: the run has nothing for the section.
#pragma once
#include <string>

#include "tools/report/report.h"

namespace hansa::tools {

[[nodiscard]] std::string summary_section(const ReportContent& content);
[[nodiscard]] std::string plots_section(const server::RunView& view);
// What the aggregator could see.
[[nodiscard]] std::string privacy_section(const server::RunView& view);
[[nodiscard]] std::string abandoned_section(const server::RunView& view);
[[nodiscard]] std::string rounds_section(const server::RunView& view);
[[nodiscard]] std::string participants_section(const server::RunView& view);
[[nodiscard]] std::string devices_section(const ReportContent& content);
[[nodiscard]] std::string configuration_section(const ReportContent& content);

}  // namespace hansa::tools
