// What the operator sees: the live panel and the summary at the end.
#include "server/process/internal/panel.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/process/internal/final_report.h"

namespace hansa::server::internal {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Not;

PanelContent content() {
  PanelContent out;
  out.title = "federation mine  tcp://127.0.0.1:7470";
  out.progress.phase = Phase::in_round;
  out.progress.round = RoundId(7);
  out.progress.rounds = 20;
  out.progress.members = {{"hospital-a", round::MemberState::counted, ""},
                          {"hospital-b", round::MemberState::pending, ""},
                          {"hospital-c", round::MemberState::declined, "bad column"}};
  for (std::uint32_t round = 1; round <= 6; ++round)
    out.rounds.push_back({RoundId(round), 2, 3, 1.5, {{"loss", 1.0 / round, 1}}, {}, {}});
  out.clients["hospital-a"] = {RoundId(6), "counted", 512, 0.25};
  out.clients["hospital-b"] = {RoundId(6), "late", 0, {}};
  return out;
}

TerminalSize rows(std::size_t count) { return {.columns = 120, .rows = count}; }

TEST(Panel, ShowsTheTrainingLossTheLastRoundsAndTheClients) {
  const auto lines = panel_lines(content(), rows(40));
  EXPECT_THAT(lines, Contains(HasSubstr("training   loss 0.1667, in round 6")));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("round"), HasSubstr("counted"), HasSubstr("train loss"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("     1"), HasSubstr("2 of 3"), HasSubstr("1.0000"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("hospital-a"), HasSubstr("512"), HasSubstr("0.2500"),
                                    HasSubstr("counted"))));
  EXPECT_THAT(lines, Contains(AllOf(HasSubstr("hospital-c"), HasSubstr("declined"))));
}

TEST(Panel, CountsDownToTheStartAndSaysWhoIsMissing) {
  PanelContent c = content();
  Progress& p = c.progress;
  p.phase = Phase::gathering;
  p.members.clear();
  p.connected = 4;
  p.ready = 4;
  p.needed = 3;
  p.expected = 8;
  p.now = Instant(std::chrono::seconds(100));
  p.starts_at = p.now + std::chrono::milliseconds(27'300);
  p.missing = {"hospital-d", "hospital-e (no data)"};
  const auto lines = panel_lines(c, rows(40));
  EXPECT_THAT(lines, Contains(HasSubstr("starts in 28 s with 4 of 8 clients")));
  EXPECT_THAT(lines, Contains(HasSubstr("missing: hospital-d, hospital-e (no data)")));
  EXPECT_THAT(lines,
              Contains(AllOf(HasSubstr("hospital-e"), HasSubstr("no data"), Not(HasSubstr("missing")))));
  p.starts_at.reset();
  p.ready = 2;
  EXPECT_THAT(panel_lines(c, rows(40)), Contains(HasSubstr("waits for clients: 2 of 3 can take part")));
  p.waits = "for new data: 1 of 3 clients has some";
  EXPECT_THAT(panel_lines(c, rows(40)), Contains(HasSubstr("waits for new data: 1 of 3")));
}

TEST(Panel, NamesTheReasonOfARetry) {
  PanelContent c = content();
  c.progress.attempt = 2;
  c.progress.retry = "1 of 2 needed updates arrived; hospital-c says: bad column";
  EXPECT_THAT(panel_lines(c, rows(40)),
              Contains(HasSubstr("because 1 of 2 needed updates arrived; hospital-c says")));
}

TEST(Panel, ShowsWhatClientsMeasuredOnHeldOutExamples) {
  PanelContent c = content();
  c.held_out = {RoundId(5),
                {{"loss",
                  {"held_out_loss", 3, 6},
                  2,
                  0.75,
                  Spread{Interval{0.75, 0.75}, {0.25, 0.25}, {0.25, 0.25}, {0.75, 0.75}, {0.5, 0.5}}},
                 {"accuracy", {"held_out_accuracy", 3, 6}, 0, 0.5}}};
  c.rounds.back().held_out = {{"recall", 1, 8}};
  const auto lines = panel_lines(c, {.columns = 140, .rows = 40});
  EXPECT_THAT(lines, Contains("  held out   loss 0.5000, accuracy 0.5000, after round 5"));
  EXPECT_THAT(lines, Contains("  loss       2 clients: worst 0.75; quartiles 0.25, 0.25, 0.75; mean 0.5"));
  EXPECT_THAT(lines, Contains(HasSubstr("held recall")));
  EXPECT_THAT(lines, Contains(HasSubstr("0.1250")));
}

TEST(Panel, ShowsTheLastEvaluationAndTheBestRound) {
  PanelContent c = content();
  c.evaluated = {RoundId(5), {{"accuracy", 8, 10}}};
  c.best = BestRound{RoundId(4), "test accuracy", 0.9};
  EXPECT_THAT(panel_lines(c, rows(40)), Contains(HasSubstr("accuracy 0.8000, after round 5")));
  EXPECT_THAT(panel_lines(c, rows(40)), Contains(HasSubstr("round 4 (test accuracy 0.9000)")));
}

TEST(Panel, KeepsWarningsWhereTablesHaveNoRoomAndNeverExceedsTheTerminal) {
  PanelContent c = content();
  c.warnings = {"10:00:00 the first", "10:00:01 the second"};
  for (int i = 0; i < 100; ++i)
    c.progress.members.push_back({"client-" + std::to_string(i), round::MemberState::pending, ""});
  for (std::size_t height = 2; height < 60; ++height) {
    for (const std::size_t columns : {21U, 80U, 200U}) {
      const auto lines = panel_lines(c, {.columns = columns, .rows = height});
      EXPECT_LT(lines.size(), height);
      for (const std::string& line : lines)
        EXPECT_LT(std::ranges::count_if(line, [](char b) { return (b & 0xC0) != 0x80; }),
                  static_cast<long>(columns))
            << line;
    }
    if (height >= 12) {
      EXPECT_THAT(panel_lines(c, rows(height)), Contains(HasSubstr("! 10:00:01 the second"))) << height;
    }
  }
  EXPECT_THAT(panel_lines(c, rows(40)), Contains(HasSubstr("more")));
}

// Texts come from clients.
TEST(AdversaryPanel, ControlCharactersAreEscaped) {
  PanelContent c = content();
  c.warnings = {"10:00:00 \x1b[2J\nfake"};
  c.progress.members.push_back({"evil\x1b[1A", round::MemberState::pending, ""});
  for (const std::string& line : panel_lines(c, rows(40)))
    EXPECT_TRUE(std::ranges::none_of(line, [](char b) { return static_cast<unsigned char>(b) < 0x20; }))
        << line;
}

TEST(FinalReport, SaysWhatWasDoneWhoWasLostAndHowToStartFromTheBestRound) {
  FinalReport report;
  report.config = "mine/federation.toml";
  report.run = "mine-20260102-030405";
  report.run_folder = "mine/runs/mine-20260102-030405";
  report.rounds = 20;
  report.last = RoundId(9);
  report.seconds = 75;
  report.summary = {
      4, 10, {"hospital-c (declined 2)"}, {{"loss", 1, 2}, {"new_examples", 0, 2}}, {}, {"10:00:00 slow"}};
  report.summary.held_out = HeldOut{RoundId(8), {{"recall", {"held_out_own.recall", 3, 4}, 2, 0.75}}};
  report.best = BestRound{RoundId(8), "training loss", 0.4};
  const auto lines = lines_of(report);
  EXPECT_THAT(lines, Contains("rounds: 4 committed in 1 min 15 s, 9 of 20 in all"));
  EXPECT_THAT(lines, Contains("updates: 10 counted; lost: hospital-c (declined 2)"));
  EXPECT_THAT(lines, Contains("warning: 10:00:00 slow"));
  EXPECT_THAT(lines, Contains("final training loss: 0.5000"));
  EXPECT_THAT(lines, Contains("held out on the clients, after round 8: recall 0.7500"));
  EXPECT_THAT(lines, Not(Contains(HasSubstr("new_examples"))));
  EXPECT_THAT(lines,
              Contains("best: round 8 (training loss 0.4000); begin a run from it with \"hansa-aggregator "
                       "mine/federation.toml --from mine-20260102-030405@8\""));
  EXPECT_EQ(lines.back(), "run folder: mine/runs/mine-20260102-030405");
  report.best_is_kept = false;
  EXPECT_THAT(lines_of(report), Contains(HasSubstr("whose model was removed")));
  report.best->round = report.last;
  EXPECT_THAT(lines_of(report), Contains(HasSubstr("the last one")));
}

}  // namespace
}  // namespace hansa::server::internal
