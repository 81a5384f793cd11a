#include "protocols/messages/codec.h"

#include <cassert>
#include <istream>
#include <optional>
#include <ostream>
#include <streambuf>
#include <utility>

#include "protocols/messages/internal/fields.h"

namespace hansa::messages {
namespace {

// cereal reads and writes through streams; these two wrap memory.
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

// An empty message of the type with this number, if the variant has such a type.
template <class Messages, std::size_t index = 0>
std::optional<Messages> make_empty(std::uint8_t number) {
  if constexpr (index < std::variant_size_v<Messages>) {
    if (std::variant_alternative_t<index, Messages>::type.number == number)
      return Messages(std::in_place_index<index>);
    return make_empty<Messages, index + 1>(number);
  } else {
    return std::nullopt;
  }
}

tl::unexpected<Error> malformed(std::string what) {
  return fail(ErrorCode::protocol, "message", std::move(what));
}

template <class Messages>
std::vector<std::byte> encode_any(SessionId session, const Messages& message) {
  std::vector<std::byte> out;
  out.reserve(256);
  for (const int value : {int{'H'}, int{'N'}, int{protocol_version}, int{type_of(message).number}})
    out.push_back(static_cast<std::byte>(value));
  for (int shift = 0; shift < 64; shift += 8)
    out.push_back(static_cast<std::byte>(session.value >> shift & 0xff));
  WriteBuffer buffer(out);
  std::ostream stream(&buffer);
  {
    cereal::PortableBinaryOutputArchive archive(stream,
                                                cereal::PortableBinaryOutputArchive::Options::LittleEndian());
    // fields() encodes and decodes, so it takes a mutable message. Encoding does not change it.
    std::visit([&](auto& m) { internal::fields(archive, m); }, const_cast<Messages&>(message));
  }
  assert(out.size() <= message_bytes_max);
  return out;
}

// Reads the message from a complete body.
template <class Messages>
Result<void> read_body(std::span<const std::byte> body, Messages& message) {
  // If the body claimed big-endian order, cereal would swap the bytes. The protocol allows only little-endian.
  if (body.empty() || body[0] != std::byte{1}) return malformed("is not little-endian portable binary");
  try {
    ReadBuffer buffer(body);
    std::istream stream(&buffer);
    cereal::PortableBinaryInputArchive archive(stream);
    std::visit([&](auto& m) { internal::fields(archive, m); }, message);
    if (!buffer.at_end()) return malformed("has bytes after its last field");
  } catch (const internal::OutOfBounds& error) {
    return malformed(error.what());
  } catch (const std::exception&) {
    return malformed("is cut short");
  }
  return {};
}

// The only place that distinguishes a message of the wrong direction (one of Others) from a malformed message.
template <class Messages, class Others>
Decoded<Messages> decode_as(std::span<const std::byte> frame) {
  if (frame.size() > message_bytes_max) return malformed("is larger than 64 KiB");
  const std::uint8_t version = version_of(frame);
  if (version == 0) return malformed("is not a Hansa message");
  if (version != protocol_version)
    return fail(ErrorCode::refused, "message",
                "has protocol version " + std::to_string(version) + ", this side speaks " +
                    std::to_string(protocol_version));
  SessionId session;
  for (std::size_t i = 0; i < 8; ++i) session.value |= static_cast<std::uint64_t>(frame[4 + i]) << (8 * i);
  const auto number = std::to_integer<std::uint8_t>(frame[3]);
  const auto body = frame.subspan(header_bytes);
  if (auto message = make_empty<Messages>(number)) {
    HANSA_TRY_VOID(read_body(body, *message));
    return Envelope<Messages>{session, std::move(*message)};
  }
  if (auto other = make_empty<Others>(number)) {
    HANSA_TRY_VOID(read_body(body, *other));
    return Misdirected{session, type_of(*other)};
  }
  return malformed("unknown message type");
}

}  // namespace

std::vector<std::byte> encode(SessionId session, const ToClient& message) {
  return encode_any(session, message);
}
std::vector<std::byte> encode(SessionId session, const ToAggregator& message) {
  return encode_any(session, message);
}

std::uint8_t version_of(std::span<const std::byte> frame) {
  if (frame.size() < header_bytes || frame[0] != std::byte{'H'} || frame[1] != std::byte{'N'}) return 0;
  return static_cast<std::uint8_t>(frame[2]);
}

Decoded<ToClient> decode_to_client(std::span<const std::byte> frame) {
  return decode_as<ToClient, ToAggregator>(frame);
}
Decoded<ToAggregator> decode_to_aggregator(std::span<const std::byte> frame) {
  return decode_as<ToAggregator, ToClient>(frame);
}

Type type_of(const ToClient& message) {
  return std::visit([](const auto& m) { return m.type; }, message);
}
Type type_of(const ToAggregator& message) {
  return std::visit([](const auto& m) { return m.type; }, message);
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
