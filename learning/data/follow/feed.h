// Data that arrives while the client runs. Each arrival is stored in full or not at all.
//
// A feed returns an arrival. Its owner stores the examples and the position in one transaction and then calls stored().
// The next arrival starts at that position. After a crash, a new feed continues from the stored position, so each
// record is returned once. One thread at a time.
#pragma once
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/time.h"
#include "learning/data/data_source.h"
#include "learning/data/dense_source.h"
#include "learning/data/follow/follow_config.h"
#include "learning/data/follow/multiset_digest.h"

namespace hansa::learning {

struct Arrival {
  std::string source;  // its origin: the path of a file, or the address and topic of a broker
  std::string position;  // JSON: where in the source the next arrival starts
  std::uint64_t records = 0;  // rows, messages, or examples of a file, including those that were skipped
  MultisetDigest digest;  // of the records
  Examples examples;  // may be empty: a window needs many rows
  // Of the records, also if they complete no example. Empty: there are no records.
  std::optional<DataDescription> description = {};
};

class Feed {
 public:
  virtual ~Feed() = default;
  // Returns what has arrived, about records_max records at most, or nothing; in that case call wait(). Fails (data,
  // network) with the problem that the operator must fix. next() may be called again at any time and continues once the
  // problem is fixed.
  [[nodiscard]] virtual Result<std::optional<Arrival>> next(std::uint64_t records_max) = 0;
  // Reports that the last arrival is in durable storage.
  virtual void stored() = 0;
  // Returns when something may have arrived, when `wake` becomes readable, or after `most`.
  virtual void wait(Duration most, int wake) = 0;
  // Announces that next() will not be called for some time, so the feed may close its connections.
  virtual void pause() {}
  // Notes for the operator about what does not stop the feed: skipped rows and files, a rotated file. Each is returned
  // once.
  [[nodiscard]] virtual std::vector<Error> take_notes() = 0;
};

// The note about a record or a file that was skipped because of the error.
[[nodiscard]] Error skipped(const Error& error);

// Looks up the stored position of a source.
using KnownPosition = std::function<Result<std::optional<std::string>>(const std::string& source)>;

// `known` and `open` must outlive the feed. `open` opens a whole file of a folder. `consumer` is the name of this
// client at a broker, which keeps the client's messages while it is disconnected.
[[nodiscard]] Result<std::unique_ptr<Feed>> open_feed(const DataConfig& data, const FollowConfig& follow,
                                                      const std::string& consumer, KnownPosition known,
                                                      OpenDataSource open);

}  // namespace hansa::learning
