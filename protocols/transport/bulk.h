// Bytes that travel beside a message in a frame of their own, never copied on the way to ZeroMQ.
#pragma once
#include <cstddef>
#include <memory>
#include <span>

namespace hansa::transport {

// A view and whatever keeps it alive; the bytes must not change until `owner` is released,
// which ZeroMQ does on a thread of its own after sending.
struct Bulk {
  std::shared_ptr<const void> owner;
  std::span<const std::byte> bytes;
};

}  // namespace hansa::transport
