// follow = true in client.toml: valid combinations of keys, and the errors for invalid ones.
#include <gtest/gtest.h>

#include "client/config/client_config.h"
#include "tests/data/data_files.h"

namespace hansa::learning {
namespace {

class FollowKeys : public ::testing::Test {
 protected:
  Result<client::ClientConfig> read(const std::string& data) {
    testing::write_text(folder_ / "client.toml",
                        "[client]\nname = \"c\"\nfederation = \"f\"\nkey = \"c.key\"\n"
                        "[aggregator]\naddress = \"tcp://a:1\"\npublic_key = "
                        "\"rq:rM>}U?@Lns47E1%kR.o@n%FcmmsL/@{H8]yf7\"\n[data]\n" +
                            data);
    return client::read_client_config(folder_ / "client.toml");
  }
  testing::TemporaryFolder folder_;
};

constexpr const char* rows = "kind = \"csv\"\nlabel = \"y\"\n";

TEST_F(FollowKeys, AFileAFolderAndABroker) {
  const auto none = read(std::string(rows) + "file = \"a.csv\"\n");
  ASSERT_TRUE(none) << none.error().text();
  EXPECT_FALSE(none->follow);

  const auto file = read(std::string(rows) + "file = \"a.csv\"\nfollow = true\n");
  ASSERT_TRUE(file && file->follow) << file.error().text();
  EXPECT_EQ(file->follow->from, FollowFrom::file);
  EXPECT_EQ(file->follow->bad_rows, BadRows::refuse);
  EXPECT_EQ(file->follow->new_max, FollowConfig{}.new_max);
  EXPECT_EQ(file->follow->replay_max, FollowConfig{}.replay_max);
  EXPECT_EQ(file->follow->without_new, WithoutNew::train);

  const auto folder =
      read(std::string(rows) +
           "folder = \"in\"\nfollow = true\nconsumed_files = \"remove\"\nwithout_new = \"decline\"\n"
           "new_max = 7\nreplay_max = 0\n");
  ASSERT_TRUE(folder && folder->follow) << folder.error().text();
  EXPECT_EQ(folder->follow->folder, folder_ / "in");
  EXPECT_EQ(folder->follow->consumed_files, ConsumedFiles::remove);
  EXPECT_EQ(folder->follow->without_new, WithoutNew::decline);
  EXPECT_EQ(folder->follow->new_max, 7U);

  const auto table = read(
      "kind = \"sqlite\"\nfile = \"a.db\"\nquery = \"SELECT id, x, y FROM t\"\nlabel = \"y\"\nfollow = true\n"
      "sequence = \"id\"\n");
  ASSERT_TRUE(table && table->follow) << table.error().text();
  EXPECT_EQ(table->follow->sequence, "id");
  EXPECT_EQ(table->follow->bad_rows, BadRows::refuse);

  const auto broker =
      read(std::string(rows) +
           "columns = [\"x\"]\nbroker = \"mqtts://[2001:db8::1]:1234\"\ntopic = \"t/#\"\nfollow = true\n");
  ASSERT_TRUE(broker && broker->follow) << broker.error().text();
  EXPECT_EQ(broker->follow->broker.host, "2001:db8::1");
  EXPECT_EQ(broker->follow->broker.port, 1234);
  EXPECT_TRUE(broker->follow->broker.tls);
  EXPECT_EQ(broker->follow->broker.address(), "mqtts://[2001:db8::1]:1234");
  EXPECT_EQ(broker->follow->bad_rows, BadRows::skip);
  EXPECT_EQ(read(std::string(rows) +
                 "columns = [\"x\"]\nbroker = \"mqtt://localhost\"\ntopic = \"t\"\nfollow = true\n")
                ->follow->broker.port,
            1883);
}

TEST_F(FollowKeys, KeysThatExcludeEachOtherAreRefusedWithLineAndHint) {
  struct Case {
    std::string data;
    const char* error;
  };
  const std::string csv = rows;
  const std::string table = "kind = \"sqlite\"\nfile = \"a.db\"\nquery = \"SELECT 1\"\nlabel = \"y\"\n";
  const std::string broker = csv + "columns = [\"x\"]\nfollow = true\ntopic = \"t\"\n";
  const std::vector<Case> cases{
      {csv + "file = \"a\"\nfolder = \"b\"\n", "data.folder: is set without follow"},
      {csv + "follow = \"yes\"\nfile = \"a\"\n", "data.follow: must be true or false"},
      {csv + "follow = true\n", "has no source to follow"},
      {csv + "follow = true\nfile = \"a\"\nfolder = \"b\"\n", "data.folder: is set together with file"},
      {csv + "follow = true\nfile = \"a\"\ntopic = \"t\"\n", "data.topic: is set without broker"},
      {"images = \"a\"\nlabels = \"b\"\nfollow = true\nfolder = \"c\"\n", "cannot be used with kind \"idx\""},
      {table + "sequence = \"id\"\n", "data.sequence: is set without follow"},
      {table + "follow = true\n", "data.sequence: is missing, and shows which rows are new"},
      {table + "follow = true\nsequence = \"id\"\nexamples_max = 3\n", "data.examples_max: is set together"},
      {csv + "follow = true\nfile = \"a\"\nsequence = \"id\"\n",
       "data.sequence: applies only to a file of kind \"sqlite\""},
      {"kind = \"text\"\nwindow = 4\nfile = \"a\"\nfollow = true\n",
       "cannot be followed for data of kind \"text\""},
      {csv + "follow = true\nfile = \"a\"\ngroup = \"id\"\nlength = 3\n",
       "data.group: makes examples of series, and no row says that it is the last one"},
      {csv + "follow = true\nfile = \"a\"\nsequences = [\"t\"]\nlength = 3\n",
       "data.sequences: needs whole files"},
      {csv + "follow = true\nfile = \"a\"\nscale = \"standard\"\n",
       "data.scale: is \"standard\", which needs all rows"},
      {csv + "follow = true\nfile = \"a\"\nmissing = \"mean\"\n",
       "data.missing: is \"mean\", which needs all rows"},
      {csv + "follow = true\nfile = \"a\"\nexamples_max = 3\n",
       "data.examples_max: is set together with follow"},
      {csv + "follow = true\nfolder = \"a\"\nbad_rows = \"skip\"\n",
       "data.bad_rows: is set together with folder"},
      {csv + "follow = true\nbroker = \"mqtts://a\"\ntopic = \"t\"\n", "needs columns"},
      {broker + "broker = \"a\"\n", "is not an address"},
      {broker + "broker = \"mqtts://a/t\"\n", "is not an address"},
      {broker + "broker = \"mqtts://a:0\"\n", "has the port \"0\""},
      {broker + "broker = \"mqtts://a:99999\"\n", "has the port \"99999\""},
      {broker + "broker = \"mqtt://a\"\n", "would send data of this device unencrypted"},
      {broker + "broker = \"mqtts://a\"\nbroker_key_file = \"k\"\n", "set both the certificate and its key"},
      {broker + "broker = \"mqtts://a\"\nbroker_password_file = \"k\"\n", "is set without broker_user"},
      {broker + "broker = \"mqtt://localhost\"\nbroker_ca_file = \"k\"\n",
       "has certificates, but is not encrypted"},
      {csv + "columns = [\"x\"]\nfollow = true\nbroker = \"mqtts://a\"\n", "data.topic: is missing"},
  };
  for (const Case& c : cases) {
    const auto config = read(c.data);
    ASSERT_FALSE(config) << c.data;
    EXPECT_NE(config.error().text().find(c.error), std::string::npos) << config.error().text();
    EXPECT_NE(config.error().text().find("client.toml"), std::string::npos) << config.error().text();
    EXPECT_FALSE(config.error().hint.empty()) << c.data;
  }
}

}  // namespace
}  // namespace hansa::learning
