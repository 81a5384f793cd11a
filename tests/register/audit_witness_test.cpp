// What the aggregator's log shows of an audit log that somebody shortens.
#include "server/process/internal/audit_witness.h"

#include <SQLiteCpp/SQLiteCpp.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "common/files.h"
#include "common/sqlite/connection.h"
#include "tests/register/support.h"
#include "tests/temporary_folder.h"

namespace hansa::server::internal {
namespace {

using namespace server::testing;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class AdversaryAuditEnd : public ::testing::Test {
 protected:
  void SetUp() override { add(8); }
  void add(int count, const std::string& subject = "LINE-7") {
    for (int i = 0; i < count; ++i) ASSERT_TRUE(devices.record("test.act", subject, "", by_operator));
  }
  // As somebody does who can write the file.
  void cut_after(int number) const {
    const auto connection = sqlite::open_to_write(file);
    connection->exec("DROP TRIGGER IF EXISTS audit_is_not_shortened");
    connection->exec("DELETE FROM audit WHERE number > " + std::to_string(number));
  }
  std::string look() {
    now += std::chrono::seconds(10);
    witness.look_due(now);
    return take_lines();
  }
  std::string take_lines() {
    const std::string text = read_text_file(folder / "log", 1 << 20).value();
    std::string out = text.substr(lines_taken);
    lines_taken = text.size();
    return out;
  }
  [[nodiscard]] std::string last_hash() { return devices.last_audit_entry().value()->hash.hex(); }

  TemporaryFolder folder;
  std::filesystem::path file = folder / "devices.sqlite";
  DeviceRegister devices = DeviceRegister::open(file).value();
  InlineExecutor executor;
  Logger log = Logger::to_file("test", LogLevel::info, folder / "log").value();
  AuditWitness witness{DeviceRegister::open(file).value(), executor, log};
  Instant now{std::chrono::hours(1)};
  std::size_t lines_taken = 0;
};

TEST_F(AdversaryAuditEnd, TheLastHashIsLoggedWhenEntriesAreAdded) {
  EXPECT_THAT(look(), HasSubstr("audit log: 8 entries, the last one's hash: " + last_hash()));
  EXPECT_THAT(look(), IsEmpty()) << "nothing was added";
  add(1);
  witness.look_due(now);
  EXPECT_THAT(take_lines(), IsEmpty()) << "at most every ten seconds";
  EXPECT_THAT(look(), HasSubstr("audit log: 9 entries, the last one's hash: " + last_hash()));
  add(1);
  witness.finish();
  EXPECT_THAT(take_lines(), HasSubstr("audit log: 10 entries"));
}

TEST_F(AdversaryAuditEnd, AnEndThatIsCutOffIsAnErrorInTheLog) {
  const std::string hash = last_hash();
  static_cast<void>(look());
  cut_after(6);
  EXPECT_FALSE(find_break(devices.audit().value(), "")) << "the chain alone does not show it";
  const std::string lines = look();
  EXPECT_THAT(lines, HasSubstr("entry 8 with the hash " + hash + " is not there any more"));
  EXPECT_THAT(lines, HasSubstr("audit log: 6 entries"));
  EXPECT_THAT(look(), IsEmpty()) << "once";
}

TEST_F(AdversaryAuditEnd, AnEndThatIsReplacedIsAnErrorInTheLog) {
  static_cast<void>(look());
  cut_after(7);
  add(3, "LINE-8");
  EXPECT_THAT(look(), HasSubstr("is not there any more"));
}

TEST_F(AdversaryAuditEnd, EntriesAfterANotedHashAreCounted) {
  const auto entries = devices.audit().value();
  EXPECT_EQ(entries_after(entries, entries[7].hash), 0U);
  EXPECT_EQ(entries_after(entries, entries[4].hash), 3U);
  cut_after(6);
  EXPECT_FALSE(entries_after(devices.audit().value(), entries[7].hash)) << "it was cut off";
  EXPECT_EQ(entries_after(devices.audit().value(), entries[4].hash), 1U) << "fewer than before";
}

}  // namespace
}  // namespace hansa::server::internal
