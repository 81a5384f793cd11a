// The program `hansa` as a user runs it: a process, its exit code and its output.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <memory>
#include <nlohmann/json.hpp>
#include <span>
#include <string>
#include <string_view>

#include "common/files.h"
#include "common/hex.h"
#include "common/parameter_layout.h"
#include "common/vector_digest.h"
#include "learning/data/idx_file.h"
#include "server/store/run_folder.h"
#include "tests/temporary_folder.h"
#include "tests/tools/finished_program.h"

namespace hansa::tools {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

Finished run_hansa(const std::string& arguments) { return run_program(HANSA_PROGRAM, arguments); }

TEST(Program, HelpOfEveryCommandHasAnExampleAndSucceeds) {
  for (const char* command : {"new", "keys generate", "keys show", "model create", "model list",
                              "model inspect", "model export", "model check", "model sign", "model verify",
                              "data partition", "data describe", "simulate", "status", "evaluate"}) {
    const Finished help = run_hansa(std::string(command) + " --help");
    EXPECT_EQ(help.code, 0) << command;
    EXPECT_THAT(help.output, HasSubstr("Example")) << command;
    EXPECT_THAT(help.output, HasSubstr(std::string("hansa ") + command)) << command;
  }
}

TEST(Program, AMisspelledCommandGivesASuggestion) {
  const Finished status = run_hansa("stauts runs/a");
  EXPECT_EQ(status.code, 2);
  EXPECT_THAT(status.output, HasSubstr("did you mean \"hansa status\"?"));
  const Finished keys = run_hansa("keys genrate a");
  EXPECT_EQ(keys.code, 2);
  EXPECT_THAT(keys.output, HasSubstr("did you mean \"hansa keys generate\"?"));
}

// LibTorch takes half a second of each start.
TEST(Program, LoadsNoLibTorchWhereNoneIsNeeded) {
  const Finished libraries =
      run_program("env", std::string("LD_TRACE_LOADED_OBJECTS=1 '") + HANSA_PROGRAM + "' status");
  EXPECT_THAT(libraries.output, HasSubstr("libzmq"));
  EXPECT_THAT(libraries.output, ::testing::Not(HasSubstr("libtorch")));
}

TEST(Program, SaysWhichProgramIsMissing) {
  const TemporaryFolder folder;
  const std::filesystem::path alone = folder.path() / "hansa";
  std::filesystem::copy_file(HANSA_PROGRAM, alone);
  const Finished refused = run_program(alone, "model list");
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.output, AllOf(HasSubstr("hansa-learning"), HasSubstr("install")));
  EXPECT_EQ(run_program(alone, "strategies").code, 0) << "other commands do not need it";
}

// An archive that is signed has been reviewed by nobody, and reading it may be enough to be taken over by it.
TEST(AdversarySigning, TheRootKeyIsReadAfterTheArchive) {
  const TemporaryFolder folder;
  const std::string archive = (folder.path() / "model.pt").string();
  std::ofstream(archive) << "no archive";
  const Finished sign = run_hansa("model sign '" + archive + "' --federation pumps --key '" +
                                  (folder.path() / "none.key").string() + "'");
  EXPECT_EQ(sign.code, 4);
  EXPECT_THAT(sign.output, AllOf(HasSubstr("model.pt"), ::testing::Not(HasSubstr("none.key"))));
}

TEST(AdversarySigning, TheProcessWithTheRootKeyDoesNotOpenTheArchive) {
  const TemporaryFolder folder;
  const std::string in = "'" + folder.path().string() + "/";
  ASSERT_EQ(run_hansa("keys generate root --folder " + in + "'").code, 0);
  ASSERT_EQ(run_hansa("model create logistic " + in + "model.pt' --inputs 4 --classes 2").code, 0);
  const std::string sign = "model sign " + in + "model.pt' --federation pumps --key " + in + "root.key'";
  // A copy of the program without the one that it starts to read archives.
  const std::filesystem::path alone = folder.path() / "hansa-learning";
  std::filesystem::copy_file(std::filesystem::path(HANSA_PROGRAM).parent_path() / "hansa-learning", alone);
  const Finished refused = run_program(alone, sign);
  EXPECT_NE(refused.code, 0);
  EXPECT_THAT(refused.output, HasSubstr("hansa-evaluator"));
  EXPECT_FALSE(std::filesystem::exists(folder.path() / "model.pt.manifest"));
  const Finished signed_model = run_hansa(sign);
  EXPECT_EQ(signed_model.code, 0) << signed_model.output;
  EXPECT_TRUE(std::filesystem::exists(folder.path() / "model.pt.manifest"));
}

TEST(Program, ExitCodesDistinguishErrors) {
  const TemporaryFolder folder;
  const std::string in = "'" + folder.path().string() + "/";
  EXPECT_EQ(run_hansa("").code, 2);
  EXPECT_EQ(run_hansa("--nonsense").code, 2);
  EXPECT_EQ(run_hansa("keys show").code, 2) << "an argument is missing";
  EXPECT_EQ(run_hansa("model create nonsense " + in + "a.pt'").code, 2);
  EXPECT_EQ(run_hansa("model inspect " + in + "none.pt'").code, 4);
  EXPECT_EQ(run_hansa("data partition --images " + in + "i' --labels " + in + "l' --out " + in +
                      "o' --clients 2 --iid")
                .code,
            3);
  EXPECT_EQ(run_hansa("status " + in + "none'").code, 8);
  EXPECT_EQ(run_hansa("simulate " + in + "none.toml'").code, 2);
}

TEST(Program, KeysAreCreatedShownAndNeverOverwritten) {
  const TemporaryFolder folder;
  const std::string where = " --folder '" + folder.path().string() + "'";
  ASSERT_EQ(run_hansa("keys generate pump-7" + where).code, 0);
  const Finished from_secret = run_hansa("keys show '" + (folder.path() / "pump-7.key").string() + "'");
  const Finished from_public = run_hansa("keys show '" + (folder.path() / "pump-7.pub").string() + "'");
  EXPECT_EQ(from_secret.output.size(), 41U);
  EXPECT_EQ(from_secret.output, from_public.output);
  EXPECT_EQ(run_hansa("keys generate pump-7" + where).code, 2);
  EXPECT_EQ(run_hansa("keys generate ../pump" + where).code, 2);
}

TEST(Program, CertificatesOfAFolderAreRenewedTogether) {
  const TemporaryFolder folder;
  const std::string path = folder.path().string(),
                    certify = "keys certify --federation pumps --root '" + path + "/root.key' ";
  for (const char* name : {"root", "device"})
    ASSERT_EQ(run_hansa("keys generate " + std::string(name) + " --folder '" + path + "'").code, 0);
  std::filesystem::create_directory(folder.path() / "admitted");
  std::filesystem::rename(folder.path() / "device.pub", folder.path() / "admitted" / "device.pub");
  const std::string all = certify + "--all --folder '" + path + "/admitted'";
  // It renews, and certifies nobody who was not certified before.
  const Finished refused = run_hansa(all);
  EXPECT_EQ(refused.code, 5) << refused.output;
  EXPECT_THAT(refused.output, HasSubstr("contains no certificate; if the device is yours, name its file"));
  ASSERT_EQ(run_hansa(certify + "--days 20 '" + path + "/admitted/device.pub'").code, 0);
  const Finished kept = run_hansa(all + " --expiring 19");
  EXPECT_EQ(kept.code, 0) << kept.output;
  EXPECT_THAT(kept.output, HasSubstr("0 certificates renewed, 1 hold for longer"));
  const Finished renewed = run_hansa(all + " --expiring 30");
  EXPECT_EQ(renewed.code, 0) << renewed.output;
  EXPECT_THAT(renewed.output, HasSubstr("1 certificates renewed, 0 hold for longer"));
  EXPECT_EQ(run_hansa(certify).code, 2) << "neither FILE nor --all";
  EXPECT_EQ(run_hansa(certify + "--expiring 30 '" + path + "/admitted/device.pub'").code, 2);
}

TEST(Program, PartitionPrintsJsonThatAgreesWithTheShards) {
  const TemporaryFolder folder;
  learning::IdxArray images{{60, 2, 2}, std::vector<std::uint8_t>(240, 1)};
  learning::IdxArray labels{{60}, {}};
  for (std::uint32_t i = 0; i < 60; ++i) labels.values.push_back(static_cast<std::uint8_t>(i % 3));
  ASSERT_TRUE(learning::write_idx(folder.path() / "i", images));
  ASSERT_TRUE(learning::write_idx(folder.path() / "l", labels));
  const std::string in = "'" + folder.path().string() + "/";
  const Finished done = run_hansa("data partition --images " + in + "i' --labels " + in + "l' --out " + in +
                                  "o' --clients 4 --labels-per-client 2 --seed 3 --json");
  ASSERT_EQ(done.code, 0) << done.output;
  const auto document = nlohmann::json::parse(done.output);
  std::uint64_t total = 0;
  for (const auto& client : document.at("clients")) {
    const auto shard = learning::read_idx_pair(
        {client.at("images_file").get<std::string>(), client.at("labels_file").get<std::string>()});
    ASSERT_TRUE(shard) << shard.error().text();
    EXPECT_EQ(shard->labels.example_count(), client.at("examples").get<std::uint64_t>());
    total += shard->labels.example_count();
  }
  EXPECT_EQ(total, 60U);
}

TEST(Program, AModelIsCreatedAndInspected) {
  const TemporaryFolder folder;
  const std::string file = "'" + (folder.path() / "m.pt").string() + "'";
  ASSERT_EQ(run_hansa("model create logistic " + file).code, 0);
  const Finished inspected = run_hansa("model inspect --json " + file);
  ASSERT_EQ(inspected.code, 0) << inspected.output;
  EXPECT_EQ(nlohmann::json::parse(inspected.output).at("parameters"), 7850);
  EXPECT_THAT(run_hansa("model inspect " + file).output,
              AllOf(HasSubstr("fc.weight"), HasSubstr("10 x 784")));
  EXPECT_EQ(run_hansa("model create logistic " + file).code, 2) << "an archive is not overwritten";
}

// A client whose [data] has these lines. Returns its folder.
std::filesystem::path create_client(const TemporaryFolder& folder, const std::string& data) {
  const auto client = folder / "site" / "sites" / "client-01";
  EXPECT_EQ(run_hansa("new '" + (folder / "site").string() + "' --clients 1 --clients-min 1").code, 0);
  std::ifstream file(client / "client.toml");
  std::string text{std::istreambuf_iterator<char>(file), {}};
  const std::size_t begin = text.find("[data]"), end = text.find("\n\n", begin);
  text.replace(begin, end - begin, "[data]\n" + data);
  EXPECT_TRUE(write_file_atomically(client / "client.toml", text));
  return client;
}

nlohmann::json description_of(const std::filesystem::path& client, const std::string& options = "") {
  const Finished described =
      run_hansa("data describe '" + (client / "client.toml").string() + "' --json " + options);
  EXPECT_EQ(described.code, 0) << described.output;
  return nlohmann::json::parse(described.output);
}

// The client has not seen the files yet: they must still be there.
TEST(Program, ADescriptionOfArrivingFilesConsumesNoneAndSaysWhatIsSkipped) {
  const TemporaryFolder folder;
  const auto client = create_client(folder,
                                    "kind = \"csv\"\nlabel = \"y\"\nmissing = \"zero\"\nfollow = true\n"
                                    "folder = \"in\"\nconsumed_files = \"remove\"");
  std::filesystem::create_directories(client / "in");
  ASSERT_TRUE(write_file_atomically(client / "in" / "bad.csv", std::string("a,b,y\n1,low,0\n")));
  ASSERT_TRUE(write_file_atomically(client / "in" / "a.csv", std::string("a,b,y\n1,2,0\n3,,1\n5,6,1\n")));
  const auto json = description_of(client);
  EXPECT_EQ(json.at("examples"), 3);
  EXPECT_EQ(json.at("tensors").at(0).at("most"), 6);
  EXPECT_EQ(json.at("tensors").at(1).at("labels"), nlohmann::json({1, 2}));
  EXPECT_TRUE(std::filesystem::exists(client / "in" / "a.csv"));
  ASSERT_EQ(json.at("notes").size(), 1U);
  EXPECT_THAT(json.at("notes").at(0).get<std::string>(), HasSubstr("bad.csv:2: column \"b\": is \"low\""));
  std::filesystem::remove(client / "in" / "a.csv");
  const Finished nothing = run_hansa("data describe '" + (client / "client.toml").string() + "'");
  EXPECT_NE(nothing.code, 0);
  EXPECT_THAT(nothing.output, HasSubstr("bad.csv:2: column \"b\"")) << "why nothing has arrived";
}

// 1,100 images, of which a description reads 1,000 unless it is asked for all: the damaged one is none of them.
TEST(Program, ADescriptionOfAllImagesListsTheDamagedOnes) {
  const TemporaryFolder folder;
  const auto client = create_client(folder, "kind = \"images\"\nclass_folders = \"photos\"\nsize = 8");
  constexpr std::string_view one_grey_pixel =
      "89504e470d0a1a0a0000000d49484452000000010000000108000000003a7e9b550000000a494441"
      "54789c636800000082008177cd72b60000000049454e44ae426082";
  std::string png(one_grey_pixel.size() / 2, '\0');
  ASSERT_TRUE(from_hex(one_grey_pixel, std::span(reinterpret_cast<std::uint8_t*>(png.data()), png.size())));
  std::filesystem::create_directories(client / "photos" / "a");
  for (int i = 0; i < 1'100; ++i)
    std::ofstream(client / "photos" / "a" / (std::to_string(10'000 + i) + ".png"))
        << (i == 10 ? png.substr(0, 50) : png);
  const Finished first = run_hansa("data describe '" + (client / "client.toml").string() + "' --json");
  if (first.output.find("is not part of this build") != std::string::npos) GTEST_SKIP() << first.output;
  EXPECT_TRUE(description_of(client).at("damaged").empty());
  const auto all = description_of(client, "--all");
  EXPECT_EQ(all.at("examples"), 1'100);
  EXPECT_EQ(all.at("read"), 1'099);
  ASSERT_EQ(all.at("damaged").size(), 1U);
  EXPECT_THAT(all.at("damaged").at(0).at("file").get<std::string>(), HasSubstr("photos/a/10010.png"));
  EXPECT_THAT(run_hansa("data describe '" + (client / "client.toml").string() + "' --all").output,
              AllOf(HasSubstr("the values are those of 1099 of them"), HasSubstr("1 damaged file\n"),
                    HasSubstr("10010.png: is a damaged image")));
}

// One bit in any stored file: the command names the file and exits with 8 (docs/exit-codes.md).
TEST(AdversaryStoreProgram, VerifyExitsWithStorageForAFlippedBit) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "run";
  {
    auto run = server::RunFolder::open(path).value();
    std::ofstream(folder.path() / "model.pt") << "archive";
    const auto layout = ParameterLayout::parse("trainable w 2\n", "").value();
    ASSERT_TRUE(run->put_layout(layout.text()));
    server::RunIdentity identity;
    identity.federation = "f";
    identity.run = "run";
    identity.archive = run->put_archive(folder.path() / "model.pt").value();
    identity.layout = layout.digest();
    const std::array<float, 2> initial{1, 2};
    identity.initial_model = vector_digest(initial);
    ASSERT_TRUE(run->begin_run(identity, initial));
  }
  const Finished good = run_hansa("verify '" + path.string() + "'");
  EXPECT_EQ(good.code, 0) << good.output;
  EXPECT_THAT(good.output,
              AllOf(HasSubstr("rounds: 0 to 0"), HasSubstr("vectors: 1"), HasSubstr("history: sha256:")));
  EXPECT_TRUE(
      nlohmann::json::parse(run_hansa("verify --json '" + path.string() + "'").output)["problems"].empty());
  for (const char* name : {"archive.pt", "layout.txt"}) {
    std::fstream(path / name, std::ios::in | std::ios::out | std::ios::binary).put('\x7F');
    const Finished bad = run_hansa("verify '" + path.string() + "'");
    EXPECT_EQ(bad.code, 8) << bad.output;
    EXPECT_THAT(bad.output, AllOf(HasSubstr("problem: "), HasSubstr(name)));
  }
  EXPECT_EQ(run_hansa("verify '" + (folder.path() / "none").string() + "'").code, 8);
}

// What clients measured of the model of round 1, in round 2.
TEST(Program, StatusShowsTheMeanAndTheSpreadOfWhatClientsHoldOut) {
  const TemporaryFolder folder;
  const auto path = folder.path() / "run";
  {
    auto run = server::RunFolder::open(path).value();
    server::RunIdentity identity;
    identity.federation = "f";
    identity.run = "run";
    const std::array<float, 2> initial{0, 0};
    identity.initial_model = vector_digest(initial);
    ASSERT_TRUE(run->begin_run(identity, initial));
    for (std::uint32_t number = 1; number <= 2; ++number) {
      const std::array<float, 2> model{static_cast<float>(number), 0};
      server::RoundRecord round;
      round.round = RoundId(number);
      round.base = run->position().value()->model;
      round.model = run->put_model(model).value();
      round.started_at = "2026-01-01T00:00:00Z";
      for (const char* client : {"a", "b"}) {
        server::Participation p;
        p.client = client;
        p.outcome = server::Outcome::counted;
        p.metrics = {{"loss", 8, 4}};
        if (number == 2) p.metrics.push_back({"held_out_loss", *client == 'a' ? 4.0 : 1.0, 2});
        round.participations.push_back(std::move(p));
      }
      ASSERT_TRUE(run->commit_round(round));
    }
  }
  const std::string run = "'" + path.string() + "'";
  const Finished text = run_hansa("status " + run);
  EXPECT_EQ(text.code, 0) << text.output;
  EXPECT_THAT(text.output, AllOf(HasSubstr("held-out loss"), HasSubstr("1.2500"),
                                 HasSubstr("held out on the clients, after round 1: loss 1.2500 (2 clients: "
                                           "worst 2; quartiles 0.5, 0.5, 2; mean 1.25)"),
                                 HasSubstr("best: round 1 (held-out loss 2.0000)")));
  const auto json = nlohmann::json::parse(run_hansa("status --json " + run).output);
  EXPECT_FALSE(json["rounds"][0].contains("held_out"));
  EXPECT_EQ(json["rounds"][1]["held_out"]["of_round"], 1);
  EXPECT_EQ(json["rounds"][1]["held_out"]["loss"]["worst"], 2.0);
  EXPECT_EQ(json["rounds"][1]["training"].size(), 1U);
}

}  // namespace
}  // namespace hansa::tools
