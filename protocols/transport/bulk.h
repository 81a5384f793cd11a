// Bytes that are sent with a message in a separate frame. They are passed to ZeroMQ without a copy.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

namespace hansa::transport {

// A view and the owner of its bytes. The bytes must not change until `owner` is released, which happens on a thread of
// ZeroMQ after sending.
struct Bulk {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

}  // namespace hansa::transport
