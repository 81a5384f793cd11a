#include "server/process/internal/device_activity.h"

#include <utility>

#include "protocols/messages/codec.h"

namespace hansa::server::internal {
void DeviceActivityLog::on_message(std::string_view client, std::span<const std::byte> message,
                                   UtcSeconds now) {
  const std::string name(client);
  Said& said = said_[name];
  // Bulk messages are not decoded twice; the engine limits how often the others may come.
  const bool may_say = message.size() > 3 && messages::version_of(message) != 0 &&
                       (std::to_integer<std::uint8_t>(message[3]) == messages::Hello::type.number ||
                        std::to_integer<std::uint8_t>(message[3]) == messages::DataReport::type.number);
  if (may_say) {
    if (const auto decoded = messages::decode_to_aggregator(message)) {
      if (const auto* envelope = std::get_if<messages::Envelope<messages::ToAggregator>>(&*decoded)) {
        if (const auto* hello = std::get_if<messages::Hello>(&envelope->message)) {
          said.software = hello->software;
          said.examples = hello->data.examples;
        } else if (const auto* data = std::get_if<messages::DataReport>(&envelope->message)) {
          said.examples = data->examples;
        }
      }
    }
  }
  DeviceActivity& activity = seen_[name];
  activity.last_seen = now;
  activity.software = said.software;
  activity.examples = said.examples;
}

void DeviceActivityLog::on_committed(const RoundRecord& record) {
  for (const Participation& participation : record.participations) {
    DeviceActivity& activity = seen_[participation.client];
    if (participation.outcome == Outcome::counted) {
      ++activity.counted;
    } else {
      ++activity.lost;
      activity.lost_why = "round " + std::to_string(record.round.value) + ": " + participation.reason;
    }
  }
}

std::map<std::string, std::uint64_t> DeviceActivityLog::examples() const {
  std::map<std::string, std::uint64_t> out;
  for (const auto& [client, said] : said_) out.emplace(client, said.examples);
  return out;
}

DeviceActivityLog::Seen DeviceActivityLog::take() { return std::exchange(seen_, {}); }

}  // namespace hansa::server::internal
