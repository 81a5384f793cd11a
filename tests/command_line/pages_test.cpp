// The pages and scripts that are made from the table of a command line.
#include <CLI/CLI.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/command_line/completion.h"
#include "common/command_line/generate.h"
#include "common/command_line/settings_page.h"

namespace hansa::command_line {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

class Program : public ::testing::Test {
 protected:
  Program() : app("Does things.", "prog") {
    app.add_option("FILE", text, "A file")->required();
    app.add_option("--progress", text, "How it's shown: [x]")->check(CLI::IsMember({"auto", "none"}));
    app.add_option_group("One of")->add_flag("--quick", flag, "Quickly");
    app.add_option("--secret", text, "Hidden")->group("");
    app.footer("Examples:\n  prog file\n  .prog -x\n\nSee docs/data.md#wait.");
    app.add_subcommand("hidden", "Hidden")->group("");
    CLI::App* runs = app.add_subcommand("runs", "Shows runs");
    runs->add_subcommand("remove", "Removes a run")->add_option("-o,--out", text, "Where")->required();
    add_generate_option(app, {"1.2.3", {"other(5)"}});
  }
  std::string generated(const std::string& what) {
    try {
      app.parse("--generate " + what);
    } catch (const CLI::Success& stop) {
      return stop.what();
    }
    return "";
  }
  CLI::App app;
  std::string text;
  bool flag = false;
};

TEST_F(Program, TheTableHasWhatHelpShowsAndNothingHidden) {
  const Command program = describe(app);
  std::vector<std::string> names;
  for (const Option& option : program.options) {
    names.insert(names.end(), option.names.begin(), option.names.end());
    const bool is_progress = option.names == std::vector<std::string>{"--progress"};
    EXPECT_EQ(option.choices.size(), is_progress ? 2U : 0U);
    const bool is_flag = option.argument.empty() && !is_progress;
    EXPECT_EQ(option.value.empty(), is_flag) << option.meaning;
  }
  EXPECT_THAT(names, ElementsAre("-h", "--help", "--progress", "--quick"));
  ASSERT_EQ(program.commands.size(), 1U);
  EXPECT_EQ(program.commands[0].commands[0].path, "prog runs remove");
  ASSERT_EQ(arguments_of(program).size(), 1U);
  EXPECT_EQ(arguments_of(program)[0].argument, "FILE");
}

TEST_F(Program, TheManualPageIsPrintedAlthoughAnArgumentIsMissing) {
  const std::string page = generated("man");
  EXPECT_THAT(page,
              AllOf(HasSubstr(".TH PROG 1 \"\" \"hansa 1.2.3\""), HasSubstr("prog \\- Does things\n"),
                    HasSubstr("\\fIFILE\\fR\nA file"), HasSubstr("\\fB\\-\\-progress\\fR \\fIauto|none\\fR"),
                    HasSubstr(".SS prog runs remove"), HasSubstr("\\fBother\\fR(5)"),
                    HasSubstr("\n\\&.prog \\-x\n"), Not(HasSubstr("secret")), Not(HasSubstr("generate"))));
  EXPECT_THROW(generated("nonsense"), CLI::ValidationError);
}

TEST_F(Program, TheReferenceHasATableForEachCommand) {
  const std::string page = generated("markdown");
  EXPECT_THAT(page,
              AllOf(HasSubstr("## prog\n\nDoes things.\n\n```\nprog COMMAND [OPTIONS] FILE\n```\n"),
                    HasSubstr("| `FILE` | A file; required |\n"),
                    HasSubstr("| `--progress TEXT` | How it's shown: \\[x\\]; one of `auto`, `none` |\n"),
                    HasSubstr("\nExamples:\n\n```\nprog file\n.prog -x\n```\n"),
                    HasSubstr("\nSee [data.md](data.md#wait).\n"), HasSubstr("\n### prog runs remove\n"),
                    HasSubstr("| `-o TEXT`, `--out TEXT` | Where; required |\n")));
  EXPECT_THAT(page, AllOf(Not(HasSubstr("secret")), Not(HasSubstr("hidden")), Not(HasSubstr("--help")),
                          Not(HasSubstr("generate"))));
}

TEST_F(Program, TextOfTheReferenceIsNotReadAsMarkdown) {
  app.description("Reads a|b, <x> and *_y_*. See docs/ or docs/data.txt");
  EXPECT_THAT(generated("markdown"),
              HasSubstr("Reads a\\|b, \\<x> and \\*\\_y\\_\\*. See docs/ or docs/data.txt.\n"));
}

TEST_F(Program, CompletionKnowsCommandsOptionsAndValues) {
  EXPECT_THAT(generated("bash"),
              AllOf(HasSubstr("\" runs\"|\" runs remove\") command+="), HasSubstr("compgen -W \"auto none\""),
                    HasSubstr("complete -o default -F _prog prog"), Not(HasSubstr("secret"))));
  EXPECT_THAT(generated("zsh"),
              AllOf(HasSubstr("#compdef prog\n"),
                    HasSubstr("'--progress=[How it'\\''s shown\\: \\[x\\]]:TEXT:(auto none)'"),
                    HasSubstr("remove) _prog_runs_remove ;;"), HasSubstr("'-o[Where]:TEXT:_files'")));
}

constexpr config::Setting settings[] = {
    {.key = "wait_s",
     .kind = config::Kind::number,
     .presence = config::Presence::defaulted,
     .default_value = "2",
     .meaning = "How long to wait for `x-y`: [data.md](data.md#wait).",
     .unit = "seconds",
     .range = {.least = 0, .most = 10},
     .example = "3"},
    {.key = "name", .meaning = "Its name.", .example = "\"a\""},
};
constexpr config::Table tables[] = {{"part", config::Presence::optional, "A part.", settings}};
constexpr config::Schema schema{"part.toml", "Read by `prog`.", tables};

TEST(SettingsPage, TheManualHasMeaningRangeAndDefault) {
  EXPECT_THAT(settings_manual(schema, "part.toml", "prog", "1.2.3"),
              AllOf(HasSubstr(".TH PART.TOML 5"),
                    HasSubstr(".SH \"[part]\"\nA part. The whole table may be left out."),
                    HasSubstr("\\fBwait_s\\fR\nHow long to wait for \\fBx\\-y\\fR: data.md.\n.br\nDefault: "
                              "2. Values: 0 to 10 "
                              "seconds. Example: \\fB3\\fR\n")));
}

TEST(SettingsPage, EveryLineOfTheExampleIsAComment) {
  const std::string example = settings_example(schema, "# Head.\n");
  EXPECT_THAT(
      example,
      AllOf(HasSubstr("# A part.\n#[part]\n"), HasSubstr("#wait_s = 2\n"), HasSubstr("#name = \"a\"\n"),
            HasSubstr("# How long to wait for x-y: data.md. Default: 2. Values: 0 to 10 seconds.\n")));
  for (std::size_t at = 0; at < example.size(); at = example.find('\n', at) + 1)
    EXPECT_TRUE(example[at] == '#' || example[at] == '\n') << example.substr(at, 40);
}

}  // namespace
}  // namespace hansa::command_line
