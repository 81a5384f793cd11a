// Decodes hostile frames. Property: an accepted frame encodes to the same bytes, so no two frames have the same
// meaning.
#include "tests/fuzz/message_fuzzer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "protocols/messages/codec.h"

namespace {

using namespace hansa::messages;

template <class Messages>
void check(const Decoded<Messages>& decoded, std::span<const std::byte> frame) {
  if (!decoded) return;
  const auto* envelope = std::get_if<Envelope<Messages>>(&*decoded);
  if (envelope == nullptr) return;
#ifdef HANSA_FUZZ_CANARY
  // A planted fault: the harness must find it, or it finds nothing.
  const bool same = frame.empty() || type_of(envelope->message).name != "Pull";
#else
  const auto again = encode(envelope->session, envelope->message);
  const bool same = std::equal(again.begin(), again.end(), frame.begin(), frame.end());
#endif
  if (!same) {
    std::fprintf(stderr, "a decoded %s does not encode to itself\n",
                 std::string(type_of(envelope->message).name).c_str());
    std::abort();
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span(data, size));
  check(decode_to_client(frame), frame);
  check(decode_to_aggregator(frame), frame);
  return 0;
}
