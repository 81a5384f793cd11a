// Root joins on a device where the package is installed: the files are where hansa-client.service reads them. The scripts have
// their own /etc and /var/lib, so that this machine's stay as they are.
#include <unistd.h>

#include <gtest/gtest.h>

#include "tests/process/rows_federation.h"

namespace hansa::testing {
namespace {

// What the package installs: a folder of configurations, a user, and the user's folder. $1: an empty folder.
constexpr const char* package = R"sh(set -e
mount --make-rprivate /
mount -t tmpfs tmpfs "$1"
mkdir "$1/etc" "$1/etc.work" "$1/lib" "$1/lib.work"
mount -t overlay overlay -o "lowerdir=/etc,upperdir=$1/etc,workdir=$1/etc.work" /etc
mount -t overlay overlay -o "lowerdir=/var/lib,upperdir=$1/lib,workdir=$1/lib.work" /var/lib
echo hansa-client:x:64321:64321::/var/lib/hansa-client:/usr/sbin/nologin >>/etc/passwd
echo hansa-client:x:64321: >>/etc/group
mkdir -p /etc/hansa
install -d -m 0700 -o 64321 -g 64321 /var/lib/hansa-client
)sh";

class PackagedJoin : public RowsFederation {
 protected:
  void SetUp() override {
    if (::getuid() != 0) GTEST_SKIP() << "needs root: a mount namespace";
    std::filesystem::create_directory(scratch);
    ChildProcess trial = start_with_package("true", "trial");
    if (trial.wait(seconds(60)) != 0) GTEST_SKIP() << "no overlay of /etc can be mounted: " << trial.output();
    create();
    auto text = read_text_file(folder / "federation.toml", 1 << 20);
    ASSERT_TRUE(text);
    ASSERT_TRUE(write_file_atomically(
        folder / "federation.toml",
        *text + "\n[enrolment]\nbind = \"tcp://127.0.0.1:0\"\nroot_key = \"keys/root.key\"\n"));
    ASSERT_TRUE(write_file_atomically(temporary / "data.txt", data_lines().substr(7)));
    // The service's user reads the rows.
    using std::filesystem::perms;
    for (const std::filesystem::path& path : {temporary.path(), folder})
      std::filesystem::permissions(path, perms::others_exec, std::filesystem::perm_options::add);
  }
  // A shell's words after the package has been installed.
  ChildProcess start_with_package(const std::string& script, const std::string& name) {
    const std::string path = "PATH=" + program_folder().string() + ":$PATH\n";
    return ChildProcess("/usr/bin/unshare",
                        {"--mount", "/bin/sh", "-c", package + path + script, "sh", scratch.string()},
                        log(name));
  }
  std::string invite(const std::string& label, const std::string& address) {
    std::smatch match;
    const std::string output =
        hansa({"invite", "--label", label, "--address", address, "--no-qr"}, "invite-" + label);
    EXPECT_TRUE(std::regex_search(output, match, std::regex("HANSA1[A-Z2-7]+"))) << output;
    return match[0];
  }

  std::filesystem::path scratch = temporary / "scratch";
};

TEST_F(PackagedJoin, ADeviceJoinsWhereItsServiceReads) {
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  std::smatch match;
  const std::string output = aggregator.output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("devices join at (tcp://127.0.0.1:[0-9]+)")));
  const std::string token = invite("LINE-7", match[1]), second = invite("LINE-8", match[1]);
  auto device = start_with_package(
      "hansa-client join " + token + " --no-start --data " + (temporary / "data.txt").string() +
          "\nstat -c \"%n %U %a\" /etc/hansa/client.toml /var/lib/hansa-client /var/lib/hansa-client/*"
          "\nsetpriv --reuid hansa-client --regid hansa-client --clear-groups "
          "hansa-client check /etc/hansa/client.toml"
          "\nhansa-client join " +
          second +
          " --folder \"$1/other\" && stat -c \"%n %U\" \"$1/other/client.toml\""
          "\ncode=0; hansa-client join " +
          second + " || code=$?; echo \"a second join ends with $code\"",
      "device");
  ASSERT_EQ(device.wait(seconds(120)), 0) << device.output();
  const std::string said = device.output();
  for (const char* text :
       {"/etc/hansa/client.toml root 644", "/var/lib/hansa-client hansa-client 700",
        "/var/lib/hansa-client/client.key hansa-client 600", "/var/lib/hansa-client/client.pub hansa-client",
        "Start it: systemctl start hansa-client", "ok   handshake", "ok   certificate", "ok   data",
        "other/client.toml root", "a second join ends with 2"})
    EXPECT_NE(said.find(text), std::string::npos) << text << "\n" << said;
  EXPECT_EQ(said.find("FAIL"), std::string::npos) << said;
}

TEST_F(PackagedJoin, WithoutDataTheFileSaysWhatToFillIn) {
  auto aggregator = start_aggregator("aggregator");
  ASSERT_TRUE(aggregator.wait_for_output("devices join at", seconds(60))) << aggregator.output();
  std::smatch match;
  const std::string output = aggregator.output();
  ASSERT_TRUE(std::regex_search(output, match, std::regex("devices join at (tcp://127.0.0.1:[0-9]+)")));
  auto device = start_with_package(
      "hansa-client join " + invite("LINE-7", match[1]) + "\ncat /etc/hansa/client.toml", "device");
  ASSERT_EQ(device.wait(seconds(120)), 0) << device.output();
  for (const char* text :
       {"fill in [data] in /etc/hansa/client.toml: files that the user hansa-client may read",
        "# fill in: idx3", "key = \"/var/lib/hansa-client/client.key\"",
        "state = \"/var/lib/hansa-client/state\""})
    EXPECT_NE(device.output().find(text), std::string::npos) << text << device.output();
}

}  // namespace
}  // namespace hansa::testing
