#include "learning/data/follow/feed.h"

#include "learning/data/follow/folder_feed.h"
#include "learning/data/follow/labelled_feed.h"
#include "learning/data/follow/mqtt_feed.h"
#include "learning/data/follow/sqlite_feed.h"
#include "learning/data/follow/tail_feed.h"

namespace hansa::learning {

Result<std::unique_ptr<Feed>> open_feed(const DataConfig& data, const FollowConfig& follow,
                                        const std::string& consumer, KnownPosition known,
                                        OpenDataSource open) {
  if (data.kind == "images" || data.kind == "audio")
    return std::make_unique<internal::LabelledFeed>(data, follow, std::move(known), std::move(open));
  switch (follow.from) {
    case FollowFrom::file:
      if (data.kind == "sqlite")
        return std::make_unique<internal::SqliteFeed>(data, follow, std::move(known));
      return std::make_unique<internal::TailFeed>(data, follow, std::move(known));
    case FollowFrom::folder:
      return std::make_unique<internal::FolderFeed>(data, follow, std::move(known), std::move(open));
    case FollowFrom::broker: return internal::MqttFeed::open(data, follow, consumer, known);
  }
  return fail(ErrorCode::internal, "data.follow", "has an unknown origin");
}

Error skipped(const Error& error) {
  Error out = error;
  out.location = "skipped: " + error.location;
  const ReasonCode because = error.reason.is_known() ? error.reason.code : ReasonCode::data;
  out.reason.code = ReasonCode::record_skipped;
  out.reason.numbers.insert(out.reason.numbers.begin(),
                            {Quantity::because, static_cast<std::uint64_t>(because)});
  return out;
}

}  // namespace hansa::learning
