// Reads hostile bytes as an update of every codec. Property: an accepted update decodes to values within the limit,
// gives the same sums for any slices, and writes nowhere else.
#include <cmath>
#include <cstdio>
#include <cstdlib>
#include <span>
#include <vector>

#include "protocols/codecs/update.h"
#include "tests/fuzz/message_fuzzer.h"

namespace {

using namespace hansa;

constexpr float limit = 64.0F;
constexpr std::int64_t untouched = 0x5555;

std::vector<codecs::Plan> make_plans() {
  std::vector<codecs::Plan> out;
  for (const char* text :
       {"f32", "f16", "bf16", "q1", "q3", "q4", "q8", "q1-rotated", "q4-rotated", "topk(0.01, q4)",
        "topk(0.2, q1)", "topk(1, q8)", "randk(0.1, q8)", "sign", "lowrank(2)"}) {
    const codecs::Spec spec = *codecs::parse_spec(text, "fuzzer");
    // The same plans as those of the golden vectors: tests/codecs/golden_test.cpp.
    const bool matrix = spec.kind == codecs::Kind::lowrank;
    out.push_back(*codecs::Plan::create({{matrix ? 41U : 40U, spec, matrix ? 1U : 0U}}));
  }
  return out;
}

void expect(bool holds, const char* what) {
  if (holds) return;
  std::fprintf(stderr, "%s\n", what);
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  static const std::vector<codecs::Plan> plans = make_plans();
  static std::vector<std::byte> memory;
  const auto bytes = std::as_bytes(std::span(data, size));
  for (const codecs::Plan& plan : plans) {
    const auto update = codecs::Update::read(plan, {1, 2, 3}, limit, bytes, memory);
    if (!update) continue;
    const std::size_t values = plan.values();
    std::vector<float> decoded(values + 1, 0.0F);
    update->accumulate(0, values, 1.0F, std::span(decoded).first(values));
    for (const float value : decoded)
      expect(std::fabs(value) <= limit * 1.01F, "a value is beyond the limit");
    std::vector<std::int64_t> whole(values + 1, untouched), sliced = whole;
    update->fold(0, values, std::ldexp(3.0, 40), std::span(whole).first(values));
    for (std::size_t first = 0; first < values; first += 7)
      update->fold(first, std::min(values, first + 7), std::ldexp(3.0, 40), std::span(sliced).first(values));
    expect(whole == sliced, "slices add up to another sum");
    expect(whole.back() == untouched && decoded.back() == 0, "it wrote beyond its end");
  }
  return 0;
}
