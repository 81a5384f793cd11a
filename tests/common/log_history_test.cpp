#include "common/log_history.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <atomic>
#include <string>
#include <thread>

#include "common/text.h"

namespace hansa {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;

LogRecord record_of(std::string message) {
  LogRecord out;
  out.message = std::move(message);
  return out;
}

std::vector<std::uint64_t> sequences(const std::vector<LogRecord>& records) {
  std::vector<std::uint64_t> out;
  for (const LogRecord& record : records) out.push_back(record.sequence);
  return out;
}

std::size_t bytes_of(const std::vector<LogRecord>& records) {
  std::size_t out = 0;
  for (const LogRecord& r : records)
    out +=
        sizeof r + r.component.size() + r.event.size() + r.message.size() + r.client.size() + r.phase.size();
  return out;
}

void fill(LogHistory& history, int records) {
  for (int i = 0; i < records; ++i) history.add(record_of("line"));
}

TEST(LogHistory, IsEmptyAtFirst) {
  const LogHistory history({});
  EXPECT_EQ(history.newest(), 0U);
  EXPECT_THAT(history.after(0, 10), IsEmpty());
  EXPECT_THAT(history.before(1, 10), IsEmpty());
  EXPECT_THAT(history.before(~std::uint64_t{0}, 10), IsEmpty());
}

TEST(LogHistory, PagesForwardsFromASequence) {
  LogHistory history({});
  fill(history, 5);
  EXPECT_EQ(history.newest(), 5U);
  EXPECT_THAT(sequences(history.after(0, 2)), ElementsAre(1, 2));
  EXPECT_THAT(sequences(history.after(2, 2)), ElementsAre(3, 4));
  EXPECT_THAT(sequences(history.after(4, 2)), ElementsAre(5));
  EXPECT_THAT(history.after(5, 2), IsEmpty());
  EXPECT_THAT(history.after(~std::uint64_t{0}, 2), IsEmpty());
  EXPECT_THAT(history.after(0, 0), IsEmpty());
}

TEST(LogHistory, PagesBackwardsFromASequence) {
  LogHistory history({});
  fill(history, 5);
  EXPECT_THAT(sequences(history.before(history.newest() + 1, 2)), ElementsAre(4, 5));
  EXPECT_THAT(sequences(history.before(4, 2)), ElementsAre(2, 3));
  EXPECT_THAT(sequences(history.before(2, 2)), ElementsAre(1));
  EXPECT_THAT(history.before(1, 2), IsEmpty());
  EXPECT_THAT(history.before(0, 2), IsEmpty());
  EXPECT_THAT(sequences(history.before(100, ~std::size_t{0})), ElementsAre(1, 2, 3, 4, 5));
}

TEST(LogHistory, OldRecordsMakeRoomForNewOnes) {
  LogHistory history({.records = 3});
  fill(history, 10);
  EXPECT_THAT(sequences(history.after(0, 10)), ElementsAre(8, 9, 10));
  EXPECT_THAT(sequences(history.after(8, 10)), ElementsAre(9, 10));
  EXPECT_THAT(sequences(history.before(9, 10)), ElementsAre(8));
  EXPECT_THAT(history.before(8, 10), IsEmpty());
}

TEST(LogHistory, TextsCountAgainstTheBytes) {
  constexpr std::size_t bytes = 20'000;
  LogHistory history({.records = 1'000, .bytes = bytes});
  for (int i = 0; i < 100; ++i) history.add(record_of(std::string(1'000, 'x')));
  const auto kept = history.after(0, 1'000);
  EXPECT_LE(bytes_of(kept), bytes);
  EXPECT_GT(bytes_of(kept), bytes - 2 * (1'000 + sizeof(LogRecord))) << "no more than needed makes room";
  EXPECT_EQ(kept.back().sequence, 100U);
}

TEST(LogHistory, TheNewestRecordIsKeptAlsoIfItIsTooLarge) {
  LogHistory history({.records = 10, .bytes = 1});
  fill(history, 3);
  EXPECT_THAT(sequences(history.after(0, 10)), ElementsAre(3));
}

TEST(LogHistory, LongTextsAreShortenedBetweenCharacters) {
  LogHistory history({});
  LogRecord record;
  for (int i = 0; i < 10'000; ++i) record.message += "€";
  record.client = record.component = record.event = record.phase = record.message;
  history.add(record);
  const LogRecord kept = history.after(0, 1).at(0);
  EXPECT_LE(kept.message.size(), LogHistory::message_bytes_max);
  EXPECT_TRUE(is_utf8(kept.message));
  EXPECT_TRUE(kept.message.ends_with("€..."));
  for (const std::string* text : {&kept.client, &kept.component, &kept.event, &kept.phase}) {
    EXPECT_LE(text->size(), LogHistory::field_bytes_max);
    EXPECT_TRUE(is_utf8(*text) && text->ends_with("€...")) << *text;
  }
}

TEST(LogHistory, TheListenerHearsOfEachRecordAndMayReadIt) {
  LogHistory history({});
  std::vector<std::uint64_t> heard;
  history.on_added([&] { heard.push_back(history.newest()); });
  fill(history, 2);
  history.on_added(nullptr);
  fill(history, 1);
  EXPECT_THAT(heard, ElementsAre(1, 2));
}

// Writers on several threads, a reader that pages forwards and one that pages backwards: what they see is in order,
// without gaps that nothing explains, and within the bounds.
TEST(LogHistory, ThreadsSeeAnOrderedBoundedHistory) {
  constexpr int writers = 4, lines_of_each = 5'000;
  const LogHistory::Limits limits{.records = 500, .bytes = 200'000};
  LogHistory history(limits);
  std::atomic<int> calls = 0, inside = 0;
  history.on_added([&] {
    EXPECT_EQ(++inside, 1) << "one call at a time";
    ++calls;
    --inside;
  });
  std::atomic<bool> done = false;
  std::vector<std::thread> threads;
  for (int w = 0; w < writers; ++w)
    threads.emplace_back([&, w] {
      for (int i = 0; i < lines_of_each; ++i)
        history.add(record_of(std::to_string(w) + std::string(static_cast<std::size_t>(i % 700), '.')));
    });
  std::thread forwards([&] {
    std::uint64_t last = 0;
    while (!done) {
      const auto page = history.after(last, 100);
      for (const LogRecord& record : page) {
        EXPECT_GT(record.sequence, last);
        if (&record != &page.front()) {
          EXPECT_EQ(record.sequence, last + 1);
        }
        last = record.sequence;
      }
    }
  });
  std::thread backwards([&] {
    while (!done) {
      const auto all = history.before(history.newest() + 1, limits.records + 1);
      EXPECT_LE(all.size(), limits.records);
      EXPECT_LE(bytes_of(all), limits.bytes);
      for (std::size_t i = 1; i < all.size(); ++i) EXPECT_EQ(all[i].sequence, all[i - 1].sequence + 1);
    }
  });
  for (std::thread& thread : threads) thread.join();
  done = true;
  forwards.join();
  backwards.join();
  EXPECT_EQ(history.newest(), static_cast<std::uint64_t>(writers * lines_of_each));
  EXPECT_EQ(calls, writers * lines_of_each);
}

}  // namespace
}  // namespace hansa
