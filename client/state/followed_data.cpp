#include "client/state/followed_data.h"

#include <algorithm>

#include <sys/eventfd.h>

#include "learning/data/dense_source.h"

namespace hansa::client {
namespace {

// A feed without new data is read again after this time, in case the system did not report a change.
constexpr Duration look_again = std::chrono::seconds(5);

}  // namespace

FollowedData::FollowedData(FollowedDataConfig config, std::shared_ptr<StateStore> store)
    : config_(std::move(config)), store_(std::move(store)), wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)) {}

FollowedData::~FollowedData() { stop(); }

void FollowedData::stop() {
  if (!thread_.joinable()) return;
  thread_.request_stop();
  wake();
  thread_.join();
}

void FollowedData::wake() {
  const std::uint64_t one = 1;
  (void)!::write(wake_.get(), &one, sizeof one);
}

void FollowedData::start(Observer observer) {
  thread_ = std::jthread(
      [this, observer = std::move(observer)](const std::stop_token& quit) { serve(quit, observer); });
}

Result<FollowedData::Took> FollowedData::take_one() {
  if (!feed_ || feed_generation_ != store_->generation()) {
    feed_generation_ = store_->generation();
    HANSA_TRY(feed_,
              learning::open_feed(
                  config_.data, config_.follow, config_.consumer,
                  [this](const std::string& source) { return store_->position(source); }, config_.open));
  }
  HANSA_TRY(const ExampleCounts counts, store_->counts());
  if (counts.fresh >= config_.follow.new_max) {
    feed_->pause();
    return Took::full;
  }
  HANSA_TRY(const auto arrival, feed_->next(config_.follow.new_max - counts.fresh));
  if (!arrival) return Took::nothing;
  if (auto stored = store_->add(*arrival); !stored) {
    // The feed has advanced past the examples that could not be stored. A new feed resumes at the stored position.
    feed_.reset();
    return tl::unexpected<Error>(std::move(stored).error());
  }
  if (arrival->description) widen_ranges(arrival->description->ranges);
  feed_->stored();
  return Took::something;
}

void FollowedData::widen_ranges(const std::vector<ValueRange>& found) {
  const std::lock_guard lock(mutex_);
  if (ranges_.size() != found.size()) {
    if (!found.empty()) ranges_ = found;
    return;
  }
  for (std::size_t i = 0; i < found.size(); ++i) {
    ranges_[i].least = std::min(ranges_[i].least, found[i].least);
    ranges_[i].most = std::max(ranges_[i].most, found[i].most);
  }
}

Result<void> FollowedData::take_all() {
  for (;;) {
    HANSA_TRY(const Took took, take_one());
    if (took != Took::something) return {};
  }
}

std::vector<Error> FollowedData::take_notes() { return feed_ ? feed_->take_notes() : std::vector<Error>(); }

void FollowedData::report(const Observer& observer, std::optional<Error> problem) {
  {
    const std::lock_guard lock(mutex_);
    problem_ = problem;
  }
  if (feed_)
    for (const Error& note : feed_->take_notes()) observer.warn(note);
  if (const auto notice = store_->take_notice()) observer.warn(*notice);
  std::string text = problem ? problem->text() : "";
  const bool other = text != problem_reported_;
  problem_reported_ = std::move(text);
  if (problem && other) observer.warn(*problem);
  if (other) observer.changed();
}

void FollowedData::serve(const std::stop_token& quit, const Observer& observer) {
  while (!quit.stop_requested()) {
    const auto took = take_one();
    report(observer, took ? std::nullopt : std::optional(took.error()));
    if (took && *took == Took::something) {
      observer.changed();
      continue;
    }
    if (quit.stop_requested()) return;
    if (feed_) {
      feed_->wait(took ? look_again : std::chrono::seconds(1), wake_.get());
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(200));
    }
    std::uint64_t ignored = 0;
    (void)!::read(wake_.get(), &ignored, sizeof ignored);
  }
}

Result<learning::AvailableData> FollowedData::available() {
  HANSA_TRY(const ExampleCounts counts, store_->counts());
  HANSA_TRY(auto description, store_->description());
  const std::lock_guard lock(mutex_);
  if (description) description->ranges = ranges_;
  if (counts.available() == 0 && problem_) return tl::unexpected<Error>(*problem_);
  if (counts.available() == 0)
    return fail(ErrorCode::data, "", "no data has arrived yet", {}, {ReasonCode::nothing_arrived, {}});
  return learning::AvailableData{counts.available(), counts.fresh, problem_, std::move(description)};
}

Result<learning::TrainingData> FollowedData::open(TaskId task) {
  HANSA_TRY(ExampleSnapshot snapshot, store_->snapshot(task));
  learning::TrainingData out;
  out.new_examples = snapshot.fresh;
  out.mark = snapshot.mark;
  out.source = std::make_shared<learning::DenseSource>("the examples in the client's state",
                                                       std::move(snapshot.examples));
  return out;
}

}  // namespace hansa::client
