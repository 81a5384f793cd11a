// Decodes hostile frames. Property: an accepted frame encodes to the same bytes, so no two frames have the same
// meaning.
#include "tests/fuzz/message_fuzzer.h"

#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <string>

#include "protocols/messages/codec.h"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto frame = std::as_bytes(std::span(data, size));
  const auto decoded = hansa::messages::decode(frame);
  if (!decoded) return 0;
  const auto again = hansa::messages::encode(decoded->session, decoded->message);
#ifdef HANSA_FUZZ_CANARY
  // A planted fault: if the harness does not find it, the harness is broken.
  const bool same = !std::holds_alternative<hansa::messages::Pull>(decoded->message);
#else
  const bool same = std::equal(again.begin(), again.end(), frame.begin(), frame.end());
#endif
  if (!same) {
    std::fprintf(stderr, "a decoded %s does not encode to itself\n",
                 std::string(hansa::messages::name(decoded->message)).c_str());
    std::abort();
  }
  return 0;
}
