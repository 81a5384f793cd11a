#include "server/monitor/prometheus.h"

#include <cmath>
#include <cstdlib>
#include <fstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/temporary_folder.h"

namespace hansa::server {
namespace {

using testing::HasSubstr;
using testing::Not;

MonitorValues values() {
  MonitorValues out;
  out.version = "0.2.0";
  out.commit = "abc";
  out.protocol = 12;
  out.federation = "a \"quoted\" \\ name\nwith a line";
  out.run = "run-1";
  out.rounds_committed = 3;
  out.round = 7;
  out.participants = {{"counted", 5}, {"late", 1}};
  out.round_seconds.observe(1);
  out.round_seconds.observe(1.5);
  out.round_seconds.observe(9'999);
  out.phase_seconds.try_emplace("training", std::vector<double>{1, 2}).first->second.observe(1.5);
  out.training = {{"loss", 0.25}, {"nothing", std::nan("")}};
  out.evaluation = {{"accuracy", 0.75}};
  out.held_out = {{"loss", 0.5}};
  out.held_out_clients = {{"loss", 0.625}};
  out.held_out_worst_tenth = {{"loss", 2}};
  out.update_norm = 2.5;
  out.rounds_configured = 20;
  out.certificates_expire_seconds = -10;
  return out;
}

TEST(Histogram, AnObservationBelongsToTheFirstBoundThatIsNotBelowIt) {
  Histogram histogram({1, 2});
  for (const double seconds : {0.0, 1.0, 1.1, 2.0, 2.1}) histogram.observe(seconds);
  EXPECT_THAT(histogram.counts(), testing::ElementsAre(2, 2, 1));
  EXPECT_DOUBLE_EQ(histogram.sum(), 6.2);
}

TEST(Prometheus, ValuesHaveTheirNamesAndLabels) {
  const std::string text = prometheus_text(values(), {{{200, 4}, {401, 1}}, 2}, {1'000, 2.5, 7, 1'024, 1e9});
  for (const char* line : {"hansa_info{version=\"0.2.0\",commit=\"abc\",protocol=\"12\",federation=\"a "
                           "\\\"quoted\\\" \\\\ name\\nwith a "
                           "line\",run=\"run-1\"} 1\n",
                           "# TYPE hansa_rounds_committed_total counter\nhansa_rounds_committed_total 3\n",
                           "hansa_round 7\n",
                           "hansa_participants_total{outcome=\"counted\"} 5\n",
                           "hansa_round_seconds_bucket{le=\"1\"} 1\n",
                           "hansa_round_seconds_bucket{le=\"2\"} 2\n",
                           "hansa_round_seconds_bucket{le=\"3600\"} 2\n",
                           "hansa_round_seconds_bucket{le=\"+Inf\"} 3\nhansa_round_seconds_sum "
                           "10001.5\nhansa_round_seconds_count 3\n",
                           "hansa_round_phase_seconds_bucket{phase=\"training\",le=\"2\"} 1\n",
                           "hansa_round_phase_seconds_count{phase=\"training\"} 1\n",
                           "hansa_training_metric{metric=\"loss\"} 0.25\n",
                           "hansa_training_metric{metric=\"nothing\"} NaN\n",
                           "hansa_evaluation_metric{metric=\"accuracy\"} 0.75\n",
                           "hansa_held_out_metric{metric=\"loss\"} 0.5\n",
                           "hansa_held_out_mean_of_clients{metric=\"loss\"} 0.625\n",
                           "hansa_held_out_worst_tenth{metric=\"loss\"} 2\n",
                           "hansa_update_norm 2.5\n",
                           "hansa_rounds_configured 20\n",
                           "hansa_certificates_expire_seconds -10\n",
                           "hansa_http_requests_total{code=\"401\"} 1\n",
                           "hansa_http_event_streams 2\n",
                           "process_resident_memory_bytes 1000\n",
                           "process_max_fds 1024\n"})
    EXPECT_THAT(text, HasSubstr(line));
}

TEST(Prometheus, WhatIsNotKnownIsLeftOut) {
  const std::string text = prometheus_text({}, {}, {});
  for (const char* name :
       {"hansa_update_norm", "hansa_rounds_configured", "hansa_certificates_expire_seconds",
        "hansa_training_metric", "hansa_evaluation_metric"})
    EXPECT_THAT(text, Not(HasSubstr(name)));
  EXPECT_THAT(text, HasSubstr("hansa_round 0\n"));
}

TEST(Prometheus, PromtoolHasNothingToSay) {
  if (std::system("promtool --version >/dev/null 2>&1") != 0) GTEST_SKIP() << "promtool is not installed";
  const TemporaryFolder folder;
  std::ofstream(folder / "metrics") << prometheus_text(values(), {{{200, 4}}, 2}, process_usage());
  const std::string command = "promtool check metrics <" + (folder / "metrics").string() + " >" +
                              (folder / "said").string() + " 2>&1";
  EXPECT_EQ(std::system(command.c_str()), 0);
  std::ifstream said(folder / "said");
  EXPECT_EQ(std::string((std::istreambuf_iterator<char>(said)), {}), "");
}

TEST(ProcessUsage, IsThatOfThisProcess) {
  const ProcessUsage usage = process_usage();
  EXPECT_GT(usage.resident_bytes, 1'000'000U);
  EXPECT_GE(usage.open_fds, 3U);
  EXPECT_GE(usage.fds_max, usage.open_fds);
  EXPECT_GT(usage.start_time_seconds, 1.6e9);
}

}  // namespace
}  // namespace hansa::server
