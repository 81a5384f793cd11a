// Data that goes on arriving, in steps that are stored whole or not at all.
//
// A feed gives an arrival, its owner stores examples and position in one transaction and says so, and the next
// arrival goes on from there. After a crash a new feed goes on from the position that was stored: each record
// is given once. One thread at a time.
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
  std::string source;  // what it came from: a file's path, a broker's address and topic
  std::string position;  // JSON: where in the source the next arrival begins
  std::uint64_t records = 0;  // rows, messages or examples of a file, with those that were left out
  MultisetDigest digest;  // of the records
  Examples examples;  // may be none: a window takes many rows
};

class Feed {
 public:
  virtual ~Feed() = default;
  // What has arrived, about records_max records at most. Nothing: wait() for more. Fails (data, network) with
  // what is wrong and must be fixed; asking again is right at any time, and finds what was fixed.
  [[nodiscard]] virtual Result<std::optional<Arrival>> next(std::uint64_t records_max) = 0;
  // The arrival that next() gave last is in storage.
  virtual void stored() = 0;
  // Returns when something may have arrived, when wake becomes readable, or after at most `most`.
  virtual void wait(Duration most, int wake) = 0;
  // No next() for a while: connections may be given up.
  virtual void pause() {}
  // What the operator should know though it stops nothing: rows and files left out, a rotated file. Each once.
  [[nodiscard]] virtual std::vector<std::string> take_notes() = 0;
};

// The position that is stored for a source.
using KnownPosition = std::function<Result<std::optional<std::string>>(const std::string& source)>;

// known and open outlive the feed. open opens whole files of a folder; consumer names this client to a broker,
// which keeps its messages while it is away.
[[nodiscard]] Result<std::unique_ptr<Feed>> open_feed(const DataConfig& data, const FollowConfig& follow,
                                                      const std::string& consumer, KnownPosition known,
                                                      OpenDataSource open);

}  // namespace hansa::learning
