#include "common/process/frames.h"

#include <array>
#include <cassert>
#include <cerrno>
#include <cstdint>
#include <cstring>

#include <sys/socket.h>
#include <sys/uio.h>

namespace hansa {
namespace {

using Length = std::uint32_t;

// Large enough for the descriptors of one frame; what does not fit is closed by the kernel.
union ControlBuffer {
  cmsghdr alignment;
  char bytes[CMSG_SPACE(frame_descriptors_max * sizeof(int))];
};

tl::unexpected<Error> fail_gone() {
  return fail(ErrorCode::network, "child process", "has closed its connection");
}

}  // namespace

Result<void> FrameSocket::send(std::string_view text, std::span<const int> descriptors) {
  assert(text.size() <= frame_bytes_max && descriptors.size() <= frame_descriptors_max);
  const auto length = static_cast<Length>(text.size());
  std::string bytes(sizeof length, '\0');
  std::memcpy(bytes.data(), &length, sizeof length);
  bytes.append(text);

  std::string_view rest = bytes;
  while (!rest.empty()) {
    ssize_t n = 0;
    if (side_ == FrameSide::child) {
      n = ::write(socket_.get(), rest.data(), rest.size());  // the sandbox allows no other call
    } else {
      iovec vector{const_cast<char*>(rest.data()), rest.size()};
      msghdr message{};
      message.msg_iov = &vector;
      message.msg_iovlen = 1;
      ControlBuffer control{};
      if (!descriptors.empty()) {
        message.msg_control = control.bytes;
        message.msg_controllen = CMSG_SPACE(descriptors.size_bytes());
        cmsghdr* const header = CMSG_FIRSTHDR(&message);
        header->cmsg_level = SOL_SOCKET;
        header->cmsg_type = SCM_RIGHTS;
        header->cmsg_len = CMSG_LEN(descriptors.size_bytes());
        std::memcpy(CMSG_DATA(header), descriptors.data(), descriptors.size_bytes());
      }
      n = ::sendmsg(socket_.get(), &message, MSG_NOSIGNAL);
      if (n > 0) descriptors = {};  // they were sent with the first bytes
    }
    if (n < 0 && errno == EINTR) continue;
    if (n < 0) return fail_gone();
    rest.remove_prefix(static_cast<std::size_t>(n));
  }
  return {};
}

Result<bool> FrameSocket::read_more(Blocking blocking) {
  std::array<char, 16'384> bytes;
  iovec vector{bytes.data(), bytes.size()};
  msghdr message{};
  message.msg_iov = &vector;
  message.msg_iovlen = 1;
  ControlBuffer control{};
  if (side_ == FrameSide::child) {
    message.msg_control = control.bytes;
    message.msg_controllen = sizeof control.bytes;
  }
  const int flags = MSG_CMSG_CLOEXEC | (blocking == Blocking::no ? MSG_DONTWAIT : 0);
  const ssize_t n = ::recvmsg(socket_.get(), &message, flags);
  if (n < 0 && errno == EINTR) return true;
  if (n < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) return false;
  if (n <= 0) return fail_gone();
  for (cmsghdr* header = CMSG_FIRSTHDR(&message); header != nullptr; header = CMSG_NXTHDR(&message, header)) {
    if (header->cmsg_level != SOL_SOCKET || header->cmsg_type != SCM_RIGHTS) continue;
    const std::size_t count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
    for (std::size_t i = 0; i < count; ++i) {
      int descriptor = -1;
      std::memcpy(&descriptor, CMSG_DATA(header) + i * sizeof(int), sizeof(int));
      descriptors_.emplace_back(descriptor);
    }
  }
  received_.append(bytes.data(), static_cast<std::size_t>(n));
  return true;
}

Result<std::optional<Frame>> FrameSocket::take_complete() {
  Length length = 0;
  if (received_.size() < sizeof length) return std::nullopt;
  std::memcpy(&length, received_.data(), sizeof length);
  if (length > frame_bytes_max)
    return fail(ErrorCode::protocol, "child process", "sent a message that is too long");
  if (received_.size() < sizeof length + length) return std::nullopt;
  Frame frame{received_.substr(sizeof length, length), std::exchange(descriptors_, {})};
  received_.erase(0, sizeof length + length);
  return frame;
}

Result<std::optional<Frame>> FrameSocket::receive() {
  while (true) {
    HANSA_TRY(auto frame, take_complete());
    if (frame) return frame;
    HANSA_TRY(const bool more, read_more(Blocking::no));
    if (!more) return std::nullopt;
  }
}

Result<Frame> FrameSocket::wait() {
  while (true) {
    HANSA_TRY(auto frame, take_complete());
    if (frame) return std::move(*frame);
    HANSA_TRY_VOID(read_more(Blocking::yes));
  }
}

}  // namespace hansa
