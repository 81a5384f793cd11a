// Bounded messages between a program and its child process, over a stream socket.
//
// A frame is a text of at most frame_bytes_max bytes, preceded by its length (4 bytes, in the machine's order: both
// processes run on one machine). Descriptors travel from parent to child only: they are installed while the child reads
// the frame that they were sent with; the parent reads in a way that lets the kernel drop what a child attaches.
//
// One thread at a time.
#pragma once
#include <cstddef>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/descriptor.h"
#include "common/error.h"

namespace hansa {

inline constexpr std::size_t frame_bytes_max = 1 << 20;
inline constexpr std::size_t frame_descriptors_max = 2;

struct Frame {
  std::string text;
  std::vector<Descriptor> descriptors;  // in the order in which they were sent
};

enum class FrameSide : std::uint8_t { parent, child };

class FrameSocket {
 public:
  FrameSocket() = default;
  FrameSocket(Descriptor socket, FrameSide side) : socket_(std::move(socket)), side_(side) {}

  [[nodiscard]] int descriptor() const { return socket_.get(); }
  // Blocks while the socket's buffer is full. Fails (network) if the other side is gone. Only the parent sends
  // descriptors.
  [[nodiscard]] Result<void> send(std::string_view text, std::span<const int> descriptors = {});
  // The next complete frame; empty if there is none yet. Does not block. Fails: network if the other side is gone,
  // protocol if it sent a frame that is too long.
  [[nodiscard]] Result<std::optional<Frame>> receive();
  // The same, but blocks until there is a frame.
  [[nodiscard]] Result<Frame> wait();

 private:
  enum class Blocking : std::uint8_t { no, yes };
  // False if nothing more can be read without blocking.
  [[nodiscard]] Result<bool> read_more(Blocking blocking);
  [[nodiscard]] Result<std::optional<Frame>> take_complete();

  Descriptor socket_;
  FrameSide side_ = FrameSide::parent;
  std::string received_;
  std::vector<Descriptor> descriptors_;
};

}  // namespace hansa
