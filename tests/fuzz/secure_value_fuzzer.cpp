// Decodes hostile rosters and masked sums. Property: an accepted value encodes to the same bytes.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <span>

#include "protocols/secure_aggregation/masked_sum.h"
#include "protocols/secure_aggregation/roster.h"
#include "tests/fuzz/message_fuzzer.h"

namespace {

void expect_same(std::span<const std::byte> bytes, const std::vector<std::byte>& again, const char* what) {
  if (std::equal(again.begin(), again.end(), bytes.begin(), bytes.end())) return;
  std::fprintf(stderr, "a decoded %s does not encode to itself\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const auto bytes = std::as_bytes(std::span(data, size));
  if (const auto roster = hansa::secure_aggregation::decode_roster(bytes))
    expect_same(bytes, hansa::secure_aggregation::encode(*roster), "roster");
  if (const auto sum = hansa::secure_aggregation::MaskedSum::decode(bytes))
    expect_same(bytes, sum->encode(), "masked sum");
  return 0;
}
