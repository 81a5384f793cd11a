#include "protocols/messages/codec.h"

#include <cassert>
#include <istream>
#include <ostream>
#include <streambuf>
#include <utility>

#include "protocols/messages/internal/fields.h"
#include "protocols/codecs/seeds.h"

namespace hansa::messages {
namespace {

// cereal reads and writes through streams; these two are over bytes that are there already.
class ReadBuffer : public std::streambuf {
 public:
  explicit ReadBuffer(std::span<const std::byte> bytes) {
    // The get area is char* by the standard's design; nothing writes to it.
    char* begin = const_cast<char*>(reinterpret_cast<const char*>(bytes.data()));
    setg(begin, begin, begin + bytes.size());
  }
  [[nodiscard]] bool at_end() const { return gptr() == egptr(); }
};

class WriteBuffer : public std::streambuf {
 public:
  explicit WriteBuffer(std::vector<std::byte>& out) : out_(out) {}

 protected:
  std::streamsize xsputn(const char* data, std::streamsize size) override {
    const auto* bytes = reinterpret_cast<const std::byte*>(data);
    out_.insert(out_.end(), bytes, bytes + size);
    return size;
  }
  int_type overflow(int_type c) override {
    out_.push_back(static_cast<std::byte>(c));
    return c;
  }

 private:
  std::vector<std::byte>& out_;
};

template <std::size_t index = 0>
Message make_empty(std::size_t type) {
  if constexpr (index < std::variant_size_v<Message>) {
    if (type == index) return Message(std::in_place_index<index>);
    return make_empty<index + 1>(type);
  } else {
    throw internal::OutOfBounds("unknown message type");
  }
}

tl::unexpected<Error> malformed(std::string what) {
  return fail(ErrorCode::protocol, "message", std::move(what));
}

}  // namespace

std::vector<std::byte> encode(SessionId session, const Message& message) {
  std::vector<std::byte> out;
  out.reserve(256);
  for (const int value : {int{'H'}, int{'N'}, int{protocol_version}, static_cast<int>(message.index())})
    out.push_back(static_cast<std::byte>(value));
  for (int shift = 0; shift < 64; shift += 8)
    out.push_back(static_cast<std::byte>(session.value >> shift & 0xff));
  WriteBuffer buffer(out);
  std::ostream stream(&buffer);
  {
    cereal::PortableBinaryOutputArchive archive(stream,
                                                cereal::PortableBinaryOutputArchive::Options::LittleEndian());
    // fields() serves both directions and so takes a mutable message; saving changes nothing.
    std::visit([&](auto& m) { internal::fields(archive, m); }, const_cast<Message&>(message));
  }
  assert(out.size() <= message_bytes_max);
  return out;
}

std::uint8_t version_of(std::span<const std::byte> frame) {
  if (frame.size() < header_bytes || frame[0] != std::byte{'H'} || frame[1] != std::byte{'N'}) return 0;
  return static_cast<std::uint8_t>(frame[2]);
}

Result<Envelope> decode(std::span<const std::byte> frame) {
  if (frame.size() > message_bytes_max) return malformed("is larger than 64 KiB");
  const std::uint8_t version = version_of(frame);
  if (version == 0) return malformed("is not a Hansa message");
  if (version != protocol_version)
    return fail(ErrorCode::refused, "message",
                "has protocol version " + std::to_string(version) + ", this side speaks " +
                    std::to_string(protocol_version));
  Envelope envelope;
  for (std::size_t i = 0; i < 8; ++i)
    envelope.session.value |= static_cast<std::uint64_t>(frame[4 + i]) << (8 * i);
  const auto body = frame.subspan(header_bytes);
  try {
    envelope.message = make_empty(static_cast<std::size_t>(frame[3]));
    // cereal would swap the bytes of a sender that claims another order; this protocol has one.
    if (body.empty() || body[0] != std::byte{1}) return malformed("is not little-endian portable binary");
    ReadBuffer buffer(body);
    std::istream stream(&buffer);
    cereal::PortableBinaryInputArchive archive(stream);
    std::visit([&](auto& m) { internal::fields(archive, m); }, envelope.message);
    if (!buffer.at_end()) return malformed("has bytes after its last field");
  } catch (const internal::OutOfBounds& error) {
    return malformed(error.what());
  } catch (const std::exception&) {
    return malformed("is cut short");
  }
  return envelope;
}

std::string_view name(const Message& message) {
  static constexpr std::string_view names[] = {"Hello",         "Welcome",     "Refuse",
                                               "TrainTask",     "Cancel",      "Decline",
                                               "Pull",          "BlobChunk",   "Missing",
                                               "Offer",         "Grant",       "UpdateChunk",
                                               "Receipt",       "Ping",        "Pong",
                                               "Finished",      "Bye",         "DataReport",
                                               "KeyAdvert",     "KeyRoster",   "EncryptedShares",
                                               "ShareDelivery", "SurvivorSet", "SurvivorSignature",
                                               "UnmaskRequest", "UnmaskShares"};
  static_assert(std::size(names) == std::variant_size_v<Message>);
  return names[message.index()];
}

codecs::Seeds update_seeds(const TrainTask& task) {
  return codecs::update_seeds(task.seed, task.compression ? task.compression->cohort_seed : 0);
}

codecs::Seeds delta_seeds(const ModelDelta& delta) { return codecs::delta_seeds(delta.base); }

Digest name_of(const ModelDelta& delta) { return name_of(delta.base, delta.blob); }

Digest name_of(const Digest& base, const Digest& blob) {
  std::string text = "hansa model step 1";
  for (const Digest* digest : {&base, &blob})
    text.append(reinterpret_cast<const char*>(digest->bytes.data()), digest->bytes.size());
  return sha256(std::string_view(text));
}

secure_aggregation::SumSetup sum_setup(std::string_view federation, const TrainTask& task) {
  const SecureTask& secure = *task.secure;
  secure_aggregation::SumSetup out;
  out.federation = federation;
  out.round = task.round;
  out.attempt = secure.attempt;
  out.nonce = secure.nonce;
  out.model = task.model;
  out.segments = secure.segments;
  out.clients = secure.clients;
  out.quantisation = secure.quantisation;
  out.metrics = secure.metrics;
  out.assumptions = secure.assumptions;
  return out;
}

std::string_view name(RefuseReason reason) {
  switch (reason) {
    case RefuseReason::version: return "version";
    case RefuseReason::federation: return "federation";
    case RefuseReason::identity_in_use: return "identity in use";
    case RefuseReason::unknown_session: return "unknown session";
    case RefuseReason::malformed: return "malformed";
    case RefuseReason::out_of_order: return "out of order";
  }
  return "unknown";
}

}  // namespace hansa::messages
