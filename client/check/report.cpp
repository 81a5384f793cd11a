#include "client/check/report.h"

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "common/text.h"

namespace hansa::client {
namespace {

constexpr std::string_view green = "\033[32m", red = "\033[31m", grey = "\033[90m", plain = "\033[0m";

std::string_view outcome_name(Outcome outcome) {
  switch (outcome) {
    case Outcome::passed: return "passed";
    case Outcome::failed: return "failed";
    case Outcome::not_tried: return "not_tried";
  }
  return "";
}

std::string mark(Outcome outcome, Colour colour) {
  const auto painted = [&](std::string_view code, std::string_view word) {
    return colour == Colour::ansi ? fmt::format("{}{:<4}{}", code, word, plain) : fmt::format("{:<4}", word);
  };
  switch (outcome) {
    case Outcome::passed: return painted(green, "ok");
    case Outcome::failed: return painted(red, "FAIL");
    case Outcome::not_tried: return painted(grey, "-");
  }
  return "";
}

}  // namespace

std::string report_text(std::span<const Finding> findings, Colour colour) {
  std::string out;
  for (const Finding& finding : findings) {
    out += fmt::format("{} {:<13} {}\n", mark(finding.outcome, colour), name(finding.check),
                       printable(finding.text));
    if (!finding.hint.empty()) out += fmt::format("{:19}hint: {}\n", "", printable(finding.hint));
  }
  return out;
}

std::string report_json(std::span<const Finding> findings) {
  nlohmann::json checks = nlohmann::json::array();
  for (const Finding& finding : findings) {
    nlohmann::json entry{
        {"check", name(finding.check)}, {"outcome", outcome_name(finding.outcome)}, {"text", finding.text}};
    if (finding.outcome == Outcome::failed) {
      entry["hint"] = finding.hint;
      entry["code"] = hansa::name(finding.code);
    }
    checks.push_back(std::move(entry));
  }
  const nlohmann::json document{{"ok", all_passed(findings)}, {"checks", std::move(checks)}};
  return document.dump(2, ' ', false, nlohmann::json::error_handler_t::replace) + "\n";
}

int exit_code_of(std::span<const Finding> findings) {
  const auto found =
      std::ranges::find_if(findings, [](const Finding& f) { return f.outcome == Outcome::failed; });
  return found == findings.end() ? 0 : exit_code(found->code);
}

}  // namespace hansa::client
