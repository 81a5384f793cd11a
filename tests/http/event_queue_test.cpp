#include "server/http/internal/event_queue.h"

#include <gtest/gtest.h>

namespace hansa::http::internal {
namespace {

std::shared_ptr<const StreamedEvent> event(const std::string& name, const std::string& text,
                                           bool is_kept = false) {
  return std::make_shared<const StreamedEvent>(StreamedEvent{name, text, is_kept});
}

TEST(EventQueue, EventsAreTakenInOrder) {
  EventQueue queue({});
  EXPECT_TRUE(queue.is_empty());
  queue.push(event("round", "a"));
  queue.push(event("log", "b"));
  EXPECT_EQ(queue.take(), "ab");
  EXPECT_TRUE(queue.is_empty());
  EXPECT_EQ(queue.take(), "");
}

TEST(EventQueue, OfKeptEventsOnlyTheNewestWaits) {
  EventQueue queue({});
  queue.push(event("live", "1", true));
  queue.push(event("round", "r"));
  queue.push(event("live", "2", true));
  EXPECT_EQ(queue.take(), "r2");
}

TEST(EventQueue, WithoutRoomEventsAreLostAndCounted) {
  EventQueue queue({2, 100, 100});
  for (const char* text : {"a", "b", "c", "d"}) queue.push(event("round", text));
  EXPECT_EQ(queue.lost(), 2U);
  EXPECT_EQ(queue.take(), "abevent: log\ndata: {\"lost\":2}\n\n");
  queue.push(event("round", "e"));
  EXPECT_EQ(queue.take(), "e");
  EXPECT_EQ(queue.lost(), 2U);
}

TEST(EventQueue, BytesAreBounded) {
  EventQueue queue({100, 10, 100});
  queue.push(event("round", "123456"));
  queue.push(event("round", "12345"));
  queue.push(event("round", "1234"));
  EXPECT_EQ(queue.lost(), 1U);
  EXPECT_EQ(queue.take().substr(0, 10), "1234561234");
}

TEST(EventQueue, FewBytesAreTakenAtOnce) {
  EventQueue queue({100, 100, 10});
  for (const char* text : {"1234", "12345", "12", "a longer event"}) queue.push(event("round", text));
  EXPECT_EQ(queue.take(), "123412345");
  EXPECT_EQ(queue.take(), "12");
  EXPECT_EQ(queue.take(), "a longer event");
  EXPECT_TRUE(queue.is_empty());
}

TEST(EventQueue, AFullQueueStillGetsTheNewestState) {
  EventQueue queue({1, 100, 100});
  queue.push(event("round", "a"));
  for (const char* text : {"1", "2", "3"}) queue.push(event("live", text, true));
  EXPECT_EQ(queue.take(), "a3");
}

}  // namespace
}  // namespace hansa::http::internal
