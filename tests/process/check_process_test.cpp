// `hansa-client check` against set-ups that are broken in one way each: it names that one.
#include <gtest/gtest.h>
#include <nlohmann/json.hpp>

#include "common/digest.h"
#include "tests/process/network_pair.h"
#include "tests/process/program_test.h"
#include "tests/transport/proxy.h"
#include "tests/transport/stranger.h"

namespace hansa::testing {
namespace {

namespace fs = std::filesystem;
using transport::testing::dead_address;
using transport::testing::Proxy;
using transport::testing::Stranger;

class CheckProgram : public ProgramTest {
 protected:
  void SetUp() override {
    run("hansa", {"new", folder.string(), "--clients", "3", "--rounds", "1"}, "new");
    replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"tcp://127.0.0.1:0\"");
    replace(folder / "federation.toml", "\\[training\\]",
            "[data_contract]\ncolumns = [\"a\", \"b\"]\nlabel = \"y\"\n\n[training]");
    write_rows("rows.csv", "a,b,y\n1,2,0\n3,4,1\n");
    for (int i = 1; i <= 3; ++i)
      replace(client_file(i), "\\[data\\][^\\[]*",
              "[data]\nkind = \"csv\"\nfile = \"../../rows.csv\"\nlabel = \"y\"\n\n");
  }
  void write_rows(const std::string& name, const std::string& text) {
    ASSERT_TRUE(write_file_atomically(folder / name, text));
  }

  struct Checked {
    std::optional<int> exit;
    nlohmann::json document;
    std::string output;
    // The outcome of the check with this name; of several (one for each address) the worst.
    [[nodiscard]] std::string outcome(const std::string& check) const {
      std::string out;
      for (const auto& entry : document.at("checks"))
        if (entry.at("check") == check && out != "failed") out = entry.at("outcome");
      return out;
    }
    // All that failed.
    [[nodiscard]] std::string failures() const {
      std::string out;
      for (const auto& entry : document.at("checks"))
        if (entry.at("outcome") == "failed")
          out += (out.empty() ? "" : " ") + entry.at("check").get<std::string>();
      return out;
    }
  };
  Checked check(const std::string& name, const fs::path& file, pid_t network_of = 0) {
    ChildProcess child("hansa-client", {"check", file.string(), "--json"}, log(name), network_of);
    Checked out{child.wait(seconds(100)), {}, child.output()};
    out.document = nlohmann::json::parse(out.output, nullptr, false);
    EXPECT_FALSE(out.document.is_discarded()) << out.output;
    if (out.document.is_discarded()) out.document = {{"checks", nlohmann::json::array()}};
    return out;
  }
  // The check of client 1 must fail in exactly this, and the exit code must be the error's.
  // Checked again and again: the aggregator learns of a change in the folder of admitted clients a moment later.
  void expect(const std::string& failure, ErrorCode code, const std::string& name) {
    constexpr int tries_max = 20;
    Checked checked;
    for (int i = 0; i < tries_max && (i == 0 || checked.failures() != failure); ++i)
      checked = check(name + "-" + std::to_string(i), client_file(1));
    EXPECT_EQ(checked.failures(), failure) << name << ": " << checked.output;
    EXPECT_EQ(checked.exit, failure.empty() ? 0 : exit_code(code)) << name;
  }
  // client.toml as it was.
  void restore() {
    fs::copy_file(temporary / "saved.toml", client_file(1), fs::copy_options::overwrite_existing);
  }
  void save() {
    fs::copy_file(client_file(1), temporary / "saved.toml", fs::copy_options::overwrite_existing);
  }
  void set_address(const std::string& address) {
    replace(client_file(1), "address = \"[^\"]*\"", "address = \"" + address + "\"");
  }
};

TEST_F(CheckProgram, ASetUpThatWorksPassesAndIsNotDisturbed) {
  auto aggregator = start_aggregator("aggregator");
  const Checked checked = check("check", client_file(1));
  EXPECT_EQ(checked.exit, 0) << checked.output;
  EXPECT_EQ(checked.failures(), "");
  for (const char* name : {"tcp", "handshake", "admission", "version", "federation", "session", "certificate",
                           "data", "contract", "memory"})
    EXPECT_EQ(checked.outcome(name), "passed") << name << checked.output;
  EXPECT_TRUE(aggregator.wait_for_output("client-01 is gone: it left", seconds(60))) << aggregator.output();
  EXPECT_EQ(aggregator.output().find("warning"), std::string::npos)
      << "nothing is wrong: " << aggregator.output();
  // The text has a line for each check and no colour, because the output is a file.
  const std::string text = run("hansa-client", {"check", client_file(1).string()}, "text");
  EXPECT_NE(text.find("ok   handshake     the aggregator has the pinned key"), std::string::npos) << text;
  EXPECT_EQ(text.find('\033'), std::string::npos);
}

TEST_F(CheckProgram, MistakesOnTheDeviceAreNamed) {
  auto aggregator = start_aggregator("aggregator");
  save();
  replace(client_file(1), "threads = 1", "thread = 1");
  expect("configuration", ErrorCode::usage, "unknown-key");
  restore();
  fs::remove(client_file(1));
  expect("configuration", ErrorCode::usage, "no-file");
  restore();
  replace(client_file(1), "federation = \"[^\"]*\"", "federation = \"another\"");
  expect("federation", ErrorCode::refused, "other-federation");
  restore();

  const fs::path key = site(1) / "client.key";
  fs::permissions(key, fs::perms::others_read, fs::perm_options::add);
  expect("key", ErrorCode::usage, "open-key");
  fs::permissions(key, fs::perms::owner_read | fs::perms::owner_write);
  fs::rename(key, site(1) / "moved.key");
  const Checked missing = check("no-key", client_file(1));
  EXPECT_EQ(missing.failures(), "key") << missing.output;
  fs::rename(site(1) / "moved.key", key);

  fs::copy_file(key, site(1) / "saved.key");
  ASSERT_TRUE(write_file_atomically(key, std::string_view("no key\n"), FileAccess::owner_only));
  EXPECT_EQ(check("damaged-key", client_file(1)).failures(), "key");
  fs::rename(site(1) / "saved.key", key);
  replace(client_file(1), "\\[secure_aggregation\\][^\\[]*", "");
  expect("configuration", ErrorCode::usage, "no-approval");
  restore();

  ASSERT_TRUE(write_file_atomically(site(1) / "blocked", std::string_view("a file")));
  replace(client_file(1), "state = \"[^\"]*\"", "state = \"blocked\"");
  expect("state", ErrorCode::storage, "state");
  restore();
}

TEST_F(CheckProgram, MistakesInTheDataAreNamed) {
  auto aggregator = start_aggregator("aggregator");
  save();
  replace(client_file(1), "rows.csv", "none.csv");
  EXPECT_EQ(check("no-data", client_file(1)).failures(), "data");
  restore();
  write_rows("bad.csv", "a,b,y\n1,two,0\n");
  replace(client_file(1), "rows.csv", "bad.csv");
  expect("data", ErrorCode::data, "bad-cell");
  restore();
  write_rows("empty.csv", "a,b,y\n");
  replace(client_file(1), "rows.csv", "empty.csv");
  expect("data", ErrorCode::data, "no-examples");
  restore();
  write_rows("other.csv", "b,a,y\n1,2,0\n3,4,1\n");
  replace(client_file(1), "rows.csv", "other.csv");
  expect("contract", ErrorCode::data, "other-columns");
  restore();
}

TEST_F(CheckProgram, AModelThatDoesNotFitTheDataIsNamed) {
  auto aggregator = start_aggregator("aggregator");
  EXPECT_EQ(check("before", client_file(1)).outcome("model"), "not_tried") << "no round has brought a model";
  // As rounds bring models to the device, one after the other.
  int models = 0;
  const auto bring = [&](const std::string& inputs) {
    const fs::path model = temporary / (inputs + ".pt"), archives = site(1) / "state" / "archives";
    run("hansa", {"model", "create", "logistic", model.string(), "--inputs", inputs, "--classes", "2"},
        "create-" + inputs);
    fs::create_directories(archives);
    const fs::path file = archives / (digest_of_file(model).value().hex() + ".pt");
    fs::copy_file(model, file);
    fs::last_write_time(file, fs::file_time_type::clock::now() - std::chrono::hours(10 - ++models));
  };
  bring("2");
  const Checked fits = check("fits", client_file(1));
  EXPECT_EQ(fits.failures(), "") << fits.output;
  EXPECT_EQ(fits.outcome("model"), "passed") << fits.output;
  EXPECT_NE(fits.output.find("a training step that was tried took"), std::string::npos) << fits.output;
  bring("3");
  const Checked differs = check("differs", client_file(1));
  EXPECT_EQ(differs.failures(), "model") << differs.output;
  EXPECT_NE(differs.exit, 0);
}

TEST_F(CheckProgram, AKeyThatTheOperatorTookBackIsNamed) {
  auto aggregator = start_aggregator("aggregator");
  const auto devices = [&](const std::vector<std::string>& words) {
    std::vector<std::string> arguments{"devices"};
    arguments.insert(arguments.end(), words.begin(), words.end());
    arguments.insert(arguments.end(), {"--folder", folder.string()});
    run("hansa", arguments, words.front());
  };
  devices({"quarantine", "client-01"});
  expect("admission", ErrorCode::refused, "quarantined");
  devices({"release", "client-01"});
  expect("", ErrorCode::usage, "released");
  devices({"revoke", "client-01"});
  expect("admission", ErrorCode::refused, "revoked");
}

TEST_F(CheckProgram, MistakesInTheAddressAreNamed) {
  auto aggregator = start_aggregator("aggregator");
  save();
  set_address("tcp://no-such-host.invalid:7470");
  expect("name", ErrorCode::network, "unknown-name");
  set_address(dead_address());
  expect("tcp", ErrorCode::network, "dead-port");
  {
    const Stranger stranger(Stranger::Habit::answers_http);
    set_address(stranger.address());
    expect("handshake", ErrorCode::network, "http-server");
  }
  {
    const Stranger stranger(Stranger::Habit::says_nothing);
    set_address(stranger.address());
    expect("handshake", ErrorCode::network, "silent-server");
  }
  restore();
  // The second address is tried after the first.
  replace(client_file(1), "address = (\"[^\"]*\")", "address = [\"" + dead_address() + "\", $1]");
  const Checked second = check("second-address", client_file(1));
  EXPECT_EQ(second.failures(), "tcp") << second.output;
  EXPECT_EQ(second.outcome("session"), "passed") << second.output;
}

TEST_F(CheckProgram, MistakesOfTheProxyAreNamed) {
  auto aggregator = start_aggregator("aggregator");
  save();
  const auto use = [&](const std::string& proxy) {
    restore();
    replace(client_file(1), "\\[aggregator\\]", "[aggregator]\nproxy = \"" + proxy + "\"");
  };
  use("socks5://" + dead_address().substr(6));
  expect("proxy", ErrorCode::network, "dead-proxy");
  {
    const Proxy proxy(Proxy::Mood::refuses);
    use("http://" + proxy.host_and_port());
    expect("proxy", ErrorCode::network, "proxy-refuses");
  }
  {
    const Proxy proxy(Proxy::Mood::helps);
    use("http://" + proxy.host_and_port());
    const Checked checked = check("proxy-helps", client_file(1));
    EXPECT_EQ(checked.failures(), "") << checked.output;
  }
}

TEST_F(CheckProgram, WrongKeysAndCertificatesAreNamed) {
  run("hansa", {"keys", "generate", "other", "--folder", folder.string()}, "keys");
  const fs::path admitted = folder / "admitted" / "client-01.pub";
  fs::copy_file(admitted, temporary / "client-01.pub");
  auto aggregator = start_aggregator("aggregator");
  save();
  replace(client_file(1), "public_key = \"[^\"]*\"", "public_key_file = \"../../other.pub\"");
  expect("handshake", ErrorCode::refused, "pinned-key");
  restore();
  fs::remove(admitted);
  expect("admission", ErrorCode::refused, "not-admitted");
  // Admitted again, but without its certificate.
  run("hansa", {"keys", "public", (site(1) / "client.key").string()}, "public");
  fs::copy_file(site(1) / "client.pub", admitted);
  expect("certificate", ErrorCode::refused, "not-certified");
  fs::copy_file(temporary / "client-01.pub", admitted, fs::copy_options::overwrite_existing);
  // The device's own copy of a certificate, for another federation.
  fs::create_directory(temporary / "certified");
  const fs::path certified = temporary / "certified" / "client-01.pub";
  fs::copy_file(site(1) / "client.pub", certified);
  run("hansa",
      {"keys", "certify", "--root", (folder / "keys" / "root.key").string(), "--federation", "others",
       certified.string()},
      "certify");
  fs::copy_file(certified, site(1) / "client.pub", fs::copy_options::overwrite_existing);
  expect("certificate", ErrorCode::refused, "other-certificate");
  fs::remove(site(1) / "client.pub");
  expect("", ErrorCode::usage, "all-well");
}

TEST_F(CheckProgram, AKeyThatAnotherDeviceUsesIsNamed) {
  auto aggregator = start_aggregator("aggregator");
  auto client = start_client(1);
  ASSERT_TRUE(client.wait_for_output("connected to federation", seconds(60))) << client.output();
  // The client of this device is left alone.
  const Checked here = check("same-device", client_file(1));
  EXPECT_EQ(here.failures(), "") << here.output;
  EXPECT_EQ(here.outcome("session"), "not_tried") << here.output;
  // A copy of the device's folder on another one.
  fs::create_directory(temporary / "copy");
  for (const char* file : {"client.toml", "client.key"})
    fs::copy_file(site(1) / file, temporary / "copy" / file);
  replace(temporary / "copy" / "client.toml", "\\.\\./\\.\\./rows.csv", (folder / "rows.csv").string());
  const Checked copy = check("copy", temporary / "copy" / "client.toml");
  EXPECT_EQ(copy.failures(), "session") << copy.output;
  EXPECT_EQ(copy.exit, exit_code(ErrorCode::refused));
}

TEST_F(CheckProgram, AFilteredPortAndAMissingRouteAreNamed) {
  std::string why;
  const auto wire = NetworkPair::create({10'000'000, 0}, why);
  if (!wire) GTEST_SKIP() << why << "; network namespaces were not tried (needs root, iproute2 and iptables)";
  const std::string address = std::string("tcp://") + NetworkPair::aggregator_address + ":7470";
  replace(folder / "federation.toml", "bind = \"[^\"]*\"", "bind = \"" + address + "\"");
  ChildProcess aggregator("hansa-aggregator", {(folder / "federation.toml").string(), "--progress", "plain"},
                          log("aggregator"), wire->aggregator());
  ASSERT_TRUE(aggregator.wait_for_output("public key", seconds(60))) << aggregator.output();
  set_address(address);
  EXPECT_EQ(check("open", client_file(1), wire->device()).failures(), "");
  const auto firewall = [&](const char* action) {
    ChildProcess rule("/bin/sh",
                      {"-c", std::string("iptables ") + action + " INPUT -p tcp --dport 7470 -j DROP"},
                      log("firewall"), wire->aggregator());
    EXPECT_EQ(rule.wait(seconds(20)), 0) << rule.output();
  };
  firewall("-A");
  const Checked filtered = check("filtered", client_file(1), wire->device());
  EXPECT_EQ(filtered.failures(), "tcp");
  EXPECT_NE(filtered.output.find("no answer"), std::string::npos) << filtered.output;
  firewall("-D");
  set_address("tcp://198.51.100.1:7470");
  const Checked no_route = check("no-route", client_file(1), wire->device());
  EXPECT_EQ(no_route.failures(), "tcp");
  EXPECT_NE(no_route.output.find("this device has no network"), std::string::npos) << no_route.output;
}

// What the operator of a device finds in its log.
TEST_F(CheckProgram, AClientThatCannotConnectForAMinuteLogsTheReason) {
  set_address(dead_address());
  auto client = start_client(1);
  EXPECT_TRUE(client.wait_for_output("check of tcp: 127.0.0.1 port", seconds(90))) << client.output();
}

}  // namespace
}  // namespace hansa::testing
