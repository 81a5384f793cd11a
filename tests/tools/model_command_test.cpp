// `hansa model` on archives of an attacker, whose names of parameters and metrics a terminal would obey.
#include <gmock/gmock.h>

#include <fstream>
#include <nlohmann/json.hpp>

#include "tests/learning/hostile_archives.h"
#include "tests/temporary_folder.h"
#include "tests/tools/finished_program.h"

namespace hansa::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AdversaryModelNames : public ::testing::Test {
 protected:
  void SetUp() override {
    learning::testing::write_archive_with_hostile_names(archive_);
    // Rows of 16 inputs and a class.
    std::ofstream rows(folder_.path() / "rows.csv");
    for (int i = 0; i < 16; ++i) rows << "c" << i << ",";
    rows << "z\n";
    for (int row = 0; row < 12; ++row) {
      for (int i = 0; i < 16; ++i) rows << row + i << ",";
      rows << row % 3 << "\n";
    }
    std::ofstream(client_)
        << "[client]\nname = \"c\"\nfederation = \"fed\"\nkey = \"client.key\"\nstate = \"state\"\n"
           "[aggregator]\naddress = \"tcp://127.0.0.1:1\"\npublic_key = \""
        << std::string(40, '0') << "\"\n[data]\nkind = \"csv\"\nfile = \"" << folder_.path().string()
        << "/rows.csv\"\nlabel = \"z\"\n";
  }
  static std::string quoted(const std::filesystem::path& path) { return "'" + path.string() + "'"; }
  static Finished run(const std::string& arguments) { return run_program(HANSA_PROGRAM, arguments); }
  static void expect_harmless(const Finished& finished) {
    EXPECT_EQ(finished.code, 0) << finished.output;
    EXPECT_THAT(finished.output, AllOf(Not(HasSubstr("\x1b")), Not(HasSubstr("\x07"))));
  }

  TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_.path() / "model.pt";
  std::filesystem::path client_ = folder_.path() / "client.toml";
};

TEST_F(AdversaryModelNames, ACheckPrintsNoEscapeSequences) {
  const Finished check = run("model check " + quoted(archive_) + " --data " + quoted(client_));
  expect_harmless(check);
  EXPECT_THAT(check.output, AllOf(HasSubstr("\\x1b[31mEVIL\\x07"), HasSubstr("\\x1b[2Jmetric")));
  const Finished json = run("model check --json " + quoted(archive_) + " --data " + quoted(client_));
  expect_harmless(json);
  EXPECT_THAT(nlohmann::json::parse(json.output)["unmoved"].dump(), HasSubstr("EVIL"));
}

TEST_F(AdversaryModelNames, TheContentOfAnArchivePrintsNoEscapeSequences) {
  expect_harmless(run("model inspect " + quoted(archive_)));
  expect_harmless(run("model inspect --json " + quoted(archive_)));
}

}  // namespace
}  // namespace hansa::tools
