#include <atomic>
#include <csignal>
#include <thread>
#include <vector>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>

#include "common/open_file.h"
#include "common/program.h"
#include "common/time.h"

namespace hansa {
namespace {

// A signal that arrives twice, as timeout(1) sends it, is one.
TEST(AdversarySignals, TheFirstSignalAsksAndALaterOneEndsTheProcessAtOnce) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto body = [] {
    const std::atomic<bool>& stop = stop_on_signals();
    std::raise(SIGTERM);
    if (!stop) std::_Exit(1);
    std::raise(SIGTERM);
    for (const Instant end = steady_now() + std::chrono::seconds(60); steady_now() < end;) std::raise(SIGINT);
    std::_Exit(2);  // later signals were ignored
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(128 + SIGINT), "");
}

// In a child process, which has its own descriptors and its own limit of them.
TEST(AdversaryDescriptors, OpeningAFileWaitsForADescriptorThatIsBeingClosed) {
  ::testing::FLAGS_gtest_death_test_style = "threadsafe";
  const auto body = [] {
    rlimit limit{};
    ::getrlimit(RLIMIT_NOFILE, &limit);
    limit.rlim_cur = 64;
    ::setrlimit(RLIMIT_NOFILE, &limit);
    std::vector<Descriptor> taken;
    for (Descriptor next(::dup(2)); next; next = Descriptor(::dup(2))) taken.push_back(std::move(next));
    if (::open("/dev/null", O_RDONLY | O_CLOEXEC) >= 0) std::_Exit(1);
    std::thread closer([&] { taken.pop_back(); });
    const Descriptor file = open_file("/dev/null", O_RDONLY | O_CLOEXEC);
    closer.join();
    std::_Exit(file ? 0 : 2);
  };
  EXPECT_EXIT(body(), ::testing::ExitedWithCode(0), "");
}

}  // namespace
}  // namespace hansa
