// A report: its size, that nothing of others becomes markup, and that it is complete for who reads it by ear.
#include "tools/report/report.h"

#include <algorithm>
#include <regex>
#include <set>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/output/run_fixture.h"

namespace hansa::tools {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

std::size_t count_of(const std::string& text, const std::string& part) {
  std::size_t out = 0;
  for (std::size_t at = text.find(part); at != std::string::npos; at = text.find(part, at + 1)) ++out;
  return out;
}

std::string report_of(const server::RunView& view) {
  return report_html({view, RunState::finished, {{"training.epochs", "1"}}, {}, UtcSeconds{1767323040}});
}

TEST(Report, HasEverySection) {
  server::RunView view = server::learning_run(5);
  view.configurations = {{RoundId{0}, "[federation]\nname = \"harbour\" # <b>\n"},
                         {RoundId{3}, "[federation]\n# new <b>\n"}};
  view.abandoned = {
      {RoundId{2}, 1, "2026-01-02T03:00:00Z", server::AbandonCause::refused_sum, "quorum <missed>"}};
  view.end = {RoundId{5}, "2026-01-02T04:00:00Z", "all rounds are done"};
  const std::string html = report_of(view);
  for (const char* id :
       {"summary", "plots", "privacy", "abandoned", "rounds", "participants", "configuration"}) {
    EXPECT_EQ(count_of(html, std::string("<section id=\"") + id + "\""), 1U) << id;
    EXPECT_THAT(html, HasSubstr(std::string("href=\"#") + id + "\""));
  }
  EXPECT_THAT(html, HasSubstr("finished: all rounds are done"));
  EXPECT_THAT(html, HasSubstr("sum refused"));
  EXPECT_THAT(html, HasSubstr("quorum &lt;missed&gt;"));
  EXPECT_THAT(html, HasSubstr("<td class=\"text\">2026-01-02 03:05:00</td>"));
  EXPECT_THAT(html, HasSubstr("# new &lt;b&gt;"));
  EXPECT_THAT(html, HasSubstr("changed after round 3"));
  EXPECT_THAT(
      html,
      HasSubstr("In all rounds without secure aggregation the aggregator saw each client&#39;s update"));
}

TEST(Report, SaysWhatSecureAggregationHid) {
  server::RunView view = server::learning_run(2);
  view.rounds[1] = server::record_of(2, Digest{}, Digest{});
  const std::string html = report_of(view);
  EXPECT_THAT(html, HasSubstr("<dd>1 of 2</dd>"));
  EXPECT_THAT(html, HasSubstr("21 shares open a mask, of 32 neighbours"));
  EXPECT_THAT(html, HasSubstr("3, at most 3 in a round"));
  EXPECT_THAT(html, HasSubstr("In 1 rounds without secure aggregation"));
}

TEST(Report, LoadsNothingAndRunsNothing) {
  std::string html = report_of(server::learning_run(5));
  EXPECT_THAT(html, HasSubstr("default-src 'none'"));
  for (const char* part : {"<script", "<link", "<img", "<iframe", "url(", "@import", "src=", "javascript:"})
    EXPECT_THAT(html, Not(HasSubstr(part))) << part;
  // The only address is the name of SVG's elements.
  const std::string svg = "http://www.w3.org/2000/svg";
  for (std::size_t at = html.find(svg); at != std::string::npos; at = html.find(svg))
    html.erase(at, svg.size());
  EXPECT_EQ(html.find("//"), std::string::npos) << html.substr(html.find("//"), 80);
}

TEST(Report, NothingOfClientsBecomesMarkup) {
  const std::string evil = "\"'><img src=x onerror=alert(1)>\xff\x1b]0;\u202e</td></table><script>";
  server::RunView view = server::learning_run(3);
  view.identity.run = view.identity.federation = view.identity.started_from = evil;
  view.abandoned = {{RoundId{1}, 1, evil, server::AbandonCause::updates, evil}};
  view.end = {RoundId{3}, evil, evil};
  view.configurations = {{RoundId{0}, evil}};
  view.evaluations[RoundId{3}] = {{evil, 1, 1}};
  for (server::RoundRecord& round : view.rounds) {
    round.started_at = evil;
    for (server::Participation& p : round.participations) {
      p.client += evil;
      p.reason = evil;
      p.metrics = {{evil, 1, 1}};
    }
  }
  DeviceRow device;
  device.device.name = device.device.label = device.device.activity.software =
      device.device.activity.lost_why = evil;
  const std::string html =
      report_html({view, RunState::finished, {{evil, evil}}, {device}, UtcSeconds{1767323040}});
  EXPECT_THAT(html, Not(HasSubstr("<script")));
  EXPECT_THAT(html, Not(HasSubstr("<img")));
  EXPECT_EQ(html.find_first_of("\x1b\xff"), std::string::npos);
  EXPECT_THAT(html, HasSubstr("<section id=\"devices\""));
  // Each tag that opens is one of the page's own.
  static const std::set<std::string> own{
      "!doctype", "html",    "head",  "meta",  "title", "style",   "body", "header", "h1", "p",
      "nav",      "ul",      "li",    "a",     "main",  "section", "h2",   "h3",     "dl", "dt",
      "dd",       "figure",  "svg",   "desc",  "text",  "path",    "rect", "circle", "g",  "div",
      "table",    "caption", "thead", "tbody", "tr",    "th",      "td",   "pre"};
  const std::regex tag("<(/?)([a-zA-Z!][a-zA-Z0-9]*)");
  for (auto at = std::sregex_iterator(html.begin(), html.end(), tag); at != std::sregex_iterator(); ++at)
    EXPECT_TRUE(own.contains((*at)[2].str())) << (*at)[2].str();
}

TEST(Report, IsReadableWithoutThePictures) {
  const std::string html = report_of(server::learning_run(5));
  EXPECT_THAT(html, HasSubstr("<html lang=\"en\">"));
  EXPECT_EQ(count_of(html, "<h1>"), 1U);
  EXPECT_EQ(count_of(html, "<table>"), count_of(html, "<caption>"));
  EXPECT_EQ(count_of(html, "<table>"), count_of(html, "<thead>"));
  EXPECT_GT(count_of(html, "<th scope=\"row\""), 5U);
  EXPECT_EQ(count_of(html, "<svg"), count_of(html, "role=\"img\""));
  EXPECT_THAT(html, HasSubstr("<desc id=\"learning-text\">accuracy: evaluation"));
  // No id is there twice.
  std::set<std::string> ids;
  const std::regex id(" id=\"([^\"]*)\"");
  for (auto at = std::sregex_iterator(html.begin(), html.end(), id); at != std::sregex_iterator(); ++at)
    EXPECT_TRUE(ids.insert((*at)[1].str()).second) << (*at)[1].str();
}

TEST(Report, OfTenThousandRoundsIsBelowTwoMegabytes) {
  server::RunView view = server::learning_run(1);
  server::RoundRecord round = view.rounds[0];
  round.participations.clear();
  for (int i = 0; i < 20; ++i) {
    auto p = server::participation_of("client-" + std::to_string(i) + std::string(50, 'n'),
                                      server::Outcome::rejected, std::string(2000, '<'));
    p.metrics = {{"loss", 1, 1}, {"accuracy", 1, 2}};
    if (i < 10) p.outcome = server::Outcome::counted;
    round.participations.push_back(std::move(p));
  }
  view.configurations = {{RoundId{0}, std::string(1 << 20, '&')}};
  for (std::uint32_t i = 2; i <= 10'000; ++i) {
    round.round = RoundId{i};
    round.seconds = 1 + i % 17;
    view.rounds.push_back(round);
    view.evaluations[RoundId{i}] = {{"loss", 1.0 / i, 1}, {"accuracy", 0.5 + 0.001 * (i % 7), 1}};
  }
  view.abandoned.assign(
      1000, {RoundId{5}, 1, "2026-01-02T03:00:00Z", server::AbandonCause::updates, std::string(5000, '"')});
  const std::string html = report_of(view);
  EXPECT_LT(html.size(), std::size_t{2'000'000});
  EXPECT_THAT(html, HasSubstr("400 of 10000 rounds"));
}

}  // namespace
}  // namespace hansa::tools
