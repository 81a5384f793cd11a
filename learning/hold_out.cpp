#include "learning/hold_out.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <string_view>

#include "common/digest.h"
#include "common/hold_out.h"

namespace hansa::learning {
namespace {

constexpr std::string_view label = "held-out examples 2";

// Uniform in [0, 1) for a key that is not known, and another place for each fraction: what two fractions hold out has
// nothing in common, so that the sums of two fractions differ by many examples.
double place_of(std::span<const float> inputs, std::uint64_t key, std::uint32_t steps, Sha256& hash) {
  hash.update(std::as_bytes(std::span(label)));
  hash.update(std::as_bytes(std::span(&key, 1)));
  hash.update(std::as_bytes(std::span(&steps, 1)));
  hash.update(std::as_bytes(inputs));
  const Digest digest = hash.finish();
  std::uint64_t number = 0;
  std::memcpy(&number, digest.bytes.data(), sizeof number);
  return static_cast<double>(number >> 11) * 0x1p-53;
}

}  // namespace

Result<ExampleSplit> split_examples(const DataSource& source, double fraction, std::uint64_t key,
                                    const std::stop_token& stop) {
  constexpr std::size_t block = 256;
  ExampleSplit out;
  std::vector<std::uint32_t> all(source.example_count());
  std::iota(all.begin(), all.end(), 0U);
  if (!(fraction > 0)) {
    out.training = std::move(all);
    return out;
  }
  const std::size_t values = source.shape().input_elements();
  std::vector<float> inputs(std::min(block, all.size()) * values);
  const auto steps = static_cast<std::uint32_t>(std::lround(fraction * hold_out_steps));
  Sha256 hash;
  for (std::size_t begin = 0; begin < all.size(); begin += block) {
    if (stop.stop_requested())
      return fail(ErrorCode::resource, source.location(), "stopped", {}, {ReasonCode::stopped, {}});
    const auto indices = std::span(all).subspan(begin, std::min(block, all.size() - begin));
    source.read_inputs(indices, std::span(inputs).first(indices.size() * values));
    for (std::size_t i = 0; i < indices.size(); ++i) {
      const auto example = std::span<const float>(inputs).subspan(i * values, values);
      (place_of(example, key, steps, hash) < fraction ? out.held_out : out.training).push_back(indices[i]);
    }
  }
  return out;
}

}  // namespace hansa::learning
