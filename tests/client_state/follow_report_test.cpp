// What leaves the device about a followed file: positions, never a byte of the file.
#include <fstream>
#include <future>
#include <utility>

#include <gtest/gtest.h>

#include "client/engine/engine.h"
#include "client/state/followed_data.h"
#include "protocols/messages/codec.h"
#include "tests/data/data_files.h"

namespace hansa::client {
namespace {

using learning::testing::TemporaryFolder;

const std::string secret = "patient-4711";

class AdversaryReports : public ::testing::Test {
 protected:
  // Follows the rows until the file's first note or problem is reported.
  void follow(learning::BadRows bad_rows, const std::string& rows) {
    FollowedDataConfig config;
    config.data.kind = "csv";
    config.data.file = folder_ / "rows.csv";
    config.data.label = "y";
    config.follow.bad_rows = bad_rows;
    config.open = learning::open_data_source;
    std::ofstream(config.data.file) << rows;
    auto opened = StateStore::open(folder_ / "state");
    ASSERT_TRUE(opened) << opened.error().text();
    FollowedData data(config, std::move(*opened));
    std::promise<Error> first;
    bool is_first = true;
    data.start({[] {},
                [&](const Error& notice) {
                  if (std::exchange(is_first, false)) first.set_value(notice);
                }});
    const Error notice = first.get_future().get();
    data.stop();
    log_ = notice.text();
    report_ = data_report(data.available(), {});
    report_.notices.push_back(report_of(notice, {}));
    const auto frame = messages::encode(SessionId(1), report_);
    sent_.assign(reinterpret_cast<const char*>(frame.data()), frame.size());
  }

  TemporaryFolder folder_;
  messages::DataReport report_;
  std::string log_, sent_;
};

TEST_F(AdversaryReports, ASkippedRowOfAFollowedFileIsReportedByItsPosition) {
  follow(learning::BadRows::skip, "a,y\n1,0\n" + secret + ",1\n2,1\n");
  EXPECT_EQ(report_.notices.at(0).reason,
            (Reason{ReasonCode::record_skipped,
                    {{Quantity::because, static_cast<std::uint64_t>(ReasonCode::value_invalid)},
                     {Quantity::line, 3},
                     {Quantity::column, 1}}}));
  EXPECT_TRUE(report_.problem.empty());
  EXPECT_NE(log_.find(secret), std::string::npos) << log_;
  EXPECT_EQ(sent_.find("4711"), std::string::npos);
}

TEST_F(AdversaryReports, ARowThatStopsAFollowedFileIsReportedByItsPosition) {
  follow(learning::BadRows::refuse, "a,y\n1,0\n" + secret + ",1\n2,1\n");
  EXPECT_EQ(report_.problem.reason,
            (Reason{ReasonCode::value_invalid, {{Quantity::line, 3}, {Quantity::column, 1}}}));
  EXPECT_EQ(report_.examples, 1U) << "the row before it";
  EXPECT_NE(log_.find(secret), std::string::npos) << log_;
  EXPECT_EQ(sent_.find("4711"), std::string::npos);
}

}  // namespace
}  // namespace hansa::client
