// Decodes hostile join messages, which everybody may send. Property: an accepted frame encodes to the same bytes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "protocols/enrolment/join_messages.h"
#include "protocols/enrolment/rotation_request.h"
#include "tests/fuzz/message_fuzzer.h"

namespace {

template <class Message>
void check(const hansa::Result<Message>& decoded, std::span<const std::byte> frame) {
  if (!decoded) return;
  const auto again = hansa::enrolment::encode(*decoded);
  if (std::equal(again.begin(), again.end(), frame.begin(), frame.end())) return;
  std::fprintf(stderr, "a decoded join message does not encode to itself\n");
  std::abort();
}

void check_rotation(std::span<const std::byte> frame) {
  const auto decoded = hansa::enrolment::decode_rotation_request(frame);
  if (!decoded) return;
  const auto again = hansa::enrolment::encode(*decoded);
  if (again && std::equal(again->begin(), again->end(), frame.begin(), frame.end())) return;
  std::fprintf(stderr, "a decoded request for a change of a key does not encode to itself\n");
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span(data, size));
  check(hansa::enrolment::decode_join_request(frame), frame);
  check(hansa::enrolment::decode_join_answer(frame), frame);
  check_rotation(frame);
  return 0;
}
