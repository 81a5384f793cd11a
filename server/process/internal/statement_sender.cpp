#include "server/process/internal/statement_sender.h"

#include <charconv>
#include <span>
#include <string_view>
#include <utility>

#include "protocols/messages/codec.h"

namespace hansa::server::internal {
namespace {

// Connections end without notice. Forgetting which ones have the statements costs sending them again.
constexpr std::size_t remembered_max = 100'000;

// The software that a Hello names; empty: the message is another one.
std::optional<std::string> software_in(std::span<const std::byte> message) {
  if (message.size() <= 3 || messages::version_of(message) == 0 ||
      std::to_integer<std::uint8_t>(message[3]) != messages::Hello::type.number)
    return std::nullopt;
  const auto decoded = messages::decode_to_aggregator(message);
  if (!decoded) return std::nullopt;
  const auto* envelope = std::get_if<messages::Envelope<messages::ToAggregator>>(&*decoded);
  if (envelope == nullptr) return std::nullopt;
  const auto* hello = std::get_if<messages::Hello>(&envelope->message);
  if (hello == nullptr) return std::nullopt;
  return hello->software;
}

}  // namespace

bool understands_statements(std::string_view software) {
  constexpr std::string_view start = "hansa ";
  if (!software.starts_with(start)) return false;
  software.remove_prefix(start.size());
  unsigned major = 0, minor = 0;
  const char* const end = software.data() + software.size();
  const auto [dot, major_error] = std::from_chars(software.data(), end, major);
  if (major_error != std::errc() || dot == end || *dot != '.') return false;
  const auto minor_error = std::from_chars(dot + 1, end, minor).ec;
  return minor_error == std::errc() && (major > 0 || minor >= 2);
}

void StatementSender::on_message(const transport::Incoming& in) {
  if (const auto software = software_in(in.message)) {
    if (understands_statements(*software)) understand_.emplace(in.client);
    else if (const auto known = understand_.find(in.client); known != understand_.end())
      understand_.erase(known);
  }
  const PeerId peer = in.peer;
  if (frame_.empty() || sent_.contains(peer) || !understand_.contains(in.client)) return;
  if (channel_.send(peer, frame_, {}) != transport::Sent::queued) return;
  if (sent_.size() >= remembered_max) sent_.clear();
  sent_.insert(peer);
}

std::optional<enrolment::TrustedRoots> StatementSender::look_due(Instant now, UtcSeconds wall_now) {
  if (now < next_look_) return std::nullopt;
  next_look_ = now + std::chrono::seconds(1);
  const auto stated = key_.statements(wall_now);
  if (!stated) {
    if (stated.error().text() != warned_) on_warning_(warned_ = stated.error().text());
    return std::nullopt;
  }
  auto frame = *stated ? enrolment::frame_of(**stated) : std::vector<std::byte>();
  if (frame != frame_) {
    frame_ = std::move(frame);
    sent_.clear();
  }
  const auto roots = key_.trusted_roots(wall_now);
  if (roots == std::exchange(roots_, roots)) return std::nullopt;
  return roots;
}

}  // namespace hansa::server::internal
