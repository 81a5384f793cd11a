// The screen of `hansa watch`: what it shows, and that it fits every terminal.
#include "tools/watch_screen.h"

#include <algorithm>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/output/run_fixture.h"

namespace hansa::tools {
namespace {

using ::testing::AnyOf;
using ::testing::Contains;
using ::testing::Each;
using ::testing::HasSubstr;
using ::testing::Not;

WatchModel model_of(std::uint32_t rounds) {
  WatchModel model;
  const server::RunView view = server::learning_run(rounds);
  for (const auto& record : view.rounds) model.add(record);
  model.set_evaluations({view.evaluations.begin(), view.evaluations.end()});
  return model;
}

const WatchedRun running{"harbour", "harbour-20260102-030000", RunState::running, 20, 0};

std::vector<std::string> lines(const WatchModel& model,
                               ScreenStyle style = {{80, 24}, Colours::none, Symbols::unicode}) {
  return watch_lines(running, model, style);
}

TEST(WatchScreen, HasTheStateTheCoursesAndWhoWasLost) {
  const auto shown = lines(model_of(9));
  EXPECT_THAT(shown[0], HasSubstr("harbour-20260102-030000  federation harbour  running"));
  EXPECT_THAT(shown[1], HasSubstr("round 9 of 20   about 5 min 36 s to go"));
  EXPECT_THAT(shown[2],
              AllOf(HasSubstr("accuracy"), HasSubstr("▁"), HasSubstr("█"), HasSubstr("0.9000 test")));
  EXPECT_THAT(shown[3], HasSubstr("loss"));
  EXPECT_THAT(shown[3], HasSubstr("0.2222 test"));
  EXPECT_THAT(shown[4], HasSubstr("30.5 s the last round"));
  EXPECT_THAT(shown, Contains(HasSubstr("2 of 7")));
  EXPECT_THAT(shown, Contains(HasSubstr("round 9: late (after the deadline")));
  EXPECT_THAT(shown.back(), HasSubstr("q: quit"));
}

TEST(WatchScreen, SaysThatItWaitsAndFitsTheTerminal) {
  const std::string folder = "/srv/" + std::string(100, 'f') + "/runs";
  for (const TerminalSize size : {TerminalSize{80, 24}, {20, 4}, {1, 1}}) {
    const auto shown = waiting_lines(folder, {size, Colours::none, Symbols::ascii});
    EXPECT_EQ(shown.size(), size.rows);
    for (const std::string& line : shown) EXPECT_LE(line.size(), size.columns);
  }
  const auto shown = waiting_lines("/srv/h\x1b[2J/runs", {{80, 24}, Colours::none, Symbols::ascii});
  EXPECT_EQ(shown.front(), "no run has begun");
  EXPECT_EQ(shown[1], "  in /srv/h\\x1b[2J/runs");
  EXPECT_EQ(shown.back(), "q: quit");
}

TEST(WatchScreen, TheTimeThatIsLeftBecomesLessDuringARound) {
  WatchModel model = model_of(9);
  WatchedRun later = running;
  later.now = model.last_commit() + 16;
  EXPECT_THAT(watch_lines(later, model, {})[1], HasSubstr("about 5 min 20 s to go"));
  later.now = model.last_commit() + 1e6;
  EXPECT_THAT(watch_lines(later, model, {})[1], HasSubstr("about 0 s to go"));
  later.rounds = 0;
  EXPECT_THAT(watch_lines(later, model, {})[1], Not(HasSubstr("to go"))) << "a run without an end";
}

TEST(WatchScreen, FitsTerminalsOfEverySize) {
  WatchModel model = model_of(60);
  model.set_abandoned(
      {{RoundId{3}, 1, "2026-01-02T03:04:05Z", server::AbandonCause::updates, std::string(500, 'x')}});
  for (const std::size_t columns : {1U, 7U, 20U, 80U, 200U})
    for (const std::size_t rows : {1U, 2U, 5U, 12U, 24U, 50U})
      for (const Symbols symbols : {Symbols::ascii, Symbols::unicode}) {
        const auto shown = lines(model, {{columns, rows}, Colours::none, symbols});
        EXPECT_LE(shown.size(), rows) << columns << "x" << rows;
        for (const std::string& line : shown)
          EXPECT_LE(character_count(line), columns) << columns << "x" << rows;
      }
  EXPECT_THAT(lines(model),
              Contains(HasSubstr("! 2026-01-02T03:04:05Z  round 3, attempt 1 was abandoned: xxx")));
}

TEST(WatchScreen, WithoutColoursNoEscapeAndWithoutUtf8OnlyAscii) {
  WatchModel model = model_of(3);
  server::RoundRecord hostile = server::learning_round(4);
  hostile.participations[2].client = "\x1b[2Jé\u202eevil";
  hostile.participations[2].reason = "\x1b]0;title\x07\n\xff";
  model.add(hostile);
  for (const std::string& line : lines(model)) EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
  for (const std::string& line : lines(model, {{120, 40}, Colours::none, Symbols::ascii}))
    EXPECT_TRUE(std::ranges::all_of(line, [](char c) { return c >= ' ' && c < '\x7f'; })) << line;
  // With colours there are only those of the screen.
  for (std::string line : lines(model, {{120, 40}, Colours::some, Symbols::unicode})) {
    for (const char* own : {"\x1b[0m", "\x1b[1m", "\x1b[2m", "\x1b[31m", "\x1b[32m", "\x1b[33m"})
      for (std::size_t at = line.find(own); at != std::string::npos; at = line.find(own))
        line.erase(at, std::string(own).size());
    EXPECT_EQ(line.find('\x1b'), std::string::npos) << line;
  }
}

TEST(WatchScreen, ARunWithoutARoundSaysSo) {
  EXPECT_THAT(lines(WatchModel()), Contains(HasSubstr("no round is committed yet")));
}

TEST(WatchScreen, TheCourseIsOfWhatIsMeasuredBest) {
  WatchModel model;
  model.add(server::learning_round(1));
  EXPECT_EQ(model.course("loss").source, "training");
  model.add(server::learning_round(2));
  EXPECT_EQ(model.course("loss").source, "held out");
  model.set_evaluations({{RoundId{2}, {{"loss", 1, 1}}}});
  EXPECT_EQ(model.course("loss").source, "test");
  EXPECT_EQ(model.course("nothing").source, "");
}

TEST(Sparkline, GoesFromTheLeastToTheGreatestValue) {
  EXPECT_EQ(sparkline({0, 1, 2, 3, 4, 5, 6, 7}, 80, Symbols::unicode), "▁▂▃▄▅▆▇█");
  EXPECT_EQ(sparkline({7, 0}, 80, Symbols::ascii), "#_");
  EXPECT_EQ(sparkline({5, 5}, 80, Symbols::unicode), "▁▁");
  EXPECT_EQ(sparkline({}, 80, Symbols::unicode), "");
  std::vector<double> many(10'000);
  for (std::size_t i = 0; i < many.size(); ++i) many[i] = static_cast<double>(i);
  EXPECT_EQ(character_count(sparkline(many, 40, Symbols::unicode)), 40U);
}

TEST(RoundSentence, IsOneLineWhateverClientsSend) {
  server::RoundRecord record = server::learning_round(4);
  record.participations[2].reason = "a\nb\x1b[2J";
  const std::string sentence = round_sentence(record, 20);
  EXPECT_THAT(sentence, HasSubstr("round 4 of 20: 2 of 7 clients counted, 30.5 s; training: loss 0.2500"));
  EXPECT_THAT(sentence, HasSubstr("held out, after round 3: loss 0.5000"));
  EXPECT_EQ(sentence.find_first_of("\n\x1b"), std::string::npos);
}

}  // namespace
}  // namespace hansa::tools
