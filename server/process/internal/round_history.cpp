#include "server/process/internal/round_history.h"

#include <algorithm>
#include <utility>

#include "protocols/messages/codec.h"

namespace hansa::server::internal {
namespace {

// Chunks that arrive in less time come out of buffers, and say nothing about the link.
constexpr Duration measurable = std::chrono::milliseconds(50);
constexpr Duration shortest = std::chrono::milliseconds(1);

bool is(std::span<const std::byte> message, const messages::Type& type) {
  return message.size() > 3 && messages::version_of(message) != 0 &&
         std::to_integer<std::uint8_t>(message[3]) == type.number;
}

std::optional<messages::Offer> read_offer(std::span<const std::byte> message) {
  const auto decoded = messages::decode_to_aggregator(message);
  if (!decoded) return std::nullopt;
  const auto* envelope = std::get_if<messages::Envelope<messages::ToAggregator>>(&*decoded);
  if (envelope == nullptr) return std::nullopt;
  const auto* offer = std::get_if<messages::Offer>(&envelope->message);
  return offer == nullptr ? std::nullopt : std::optional(*offer);
}

}  // namespace

void UploadMeter::on_offer(std::string_view client, std::uint64_t bytes, Instant now) {
  Upload& upload = uploads_[std::string(client)];
  upload = {};
  upload.bytes = bytes;
  upload.offered_at = now;
}

std::optional<double> UploadMeter::on_chunk(std::string_view client, std::uint64_t bytes, Instant now) {
  const auto found = uploads_.find(client);
  if (found == uploads_.end() || bytes == 0) return std::nullopt;
  Upload& upload = found->second;
  if (upload.received == 0) {
    upload.first_chunk = bytes;
    upload.first_chunk_at = now;
  }
  upload.received += bytes;
  if (upload.received < upload.bytes) return std::nullopt;
  const Duration since_first = now - upload.first_chunk_at;
  const double out = since_first >= measurable
                         ? static_cast<double>(upload.received - upload.first_chunk) / seconds(since_first)
                         : static_cast<double>(upload.received) /
                               seconds(std::max<Duration>(now - upload.offered_at, shortest));
  uploads_.erase(found);
  return out;
}

void RoundHistory::on_message(std::string_view client, std::span<const std::byte> message,
                              std::uint64_t bulk_bytes, Instant now) {
  if (is(message, messages::Offer::type)) {
    if (const auto offer = read_offer(message)) meter_.on_offer(client, offer->bytes, now);
  } else if (is(message, messages::UpdateChunk::type)) {
    if (const auto speed = meter_.on_chunk(client, bulk_bytes, now))
      seen_[std::string(client)].measures.upload_bytes_per_s = speed;
  }
}

void RoundHistory::on_committed(const RoundRecord& record,
                                const std::map<std::string, std::uint64_t>& examples_of, UtcSeconds now) {
  for (const Participation& p : record.participations) {
    DeviceHistory::Seen& seen = seen_[p.client];
    seen.measures.bytes_up += p.bytes_up;
    seen.measures.bytes_down += p.bytes_down;
    if (p.outcome != Outcome::counted) {
      seen.losses.push_back(
          {run_, record.round, now, p.reason.empty() ? std::string(name(p.outcome)) : p.reason});
      continue;
    }
    std::uint64_t examples = p.examples;
    if (const auto reported = examples_of.find(p.client); examples == 0 && reported != examples_of.end())
      examples = reported->second;
    if (examples > 0 && p.train_seconds > 0)
      seen.measures.examples_per_s = static_cast<double>(examples) / p.train_seconds;
  }
}

RoundHistory::Seen RoundHistory::take() { return std::exchange(seen_, {}); }

}  // namespace hansa::server::internal
