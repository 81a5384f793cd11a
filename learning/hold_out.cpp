#include "learning/hold_out.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>
#include <numeric>
#include <optional>
#include <string_view>

#include "common/digest.h"
#include "common/hold_out.h"

namespace hansa::learning {
namespace {

constexpr std::string_view label = "held-out examples 2";

// The inputs of some examples.
class InputBlock {
 public:
  InputBlock(const DataSource& source, std::size_t examples) : source_(source) {
    for (const TensorSpec& input : source.shape().inputs) inputs_.emplace_back(examples * input.bytes());
  }
  Result<void> read(std::span<const std::uint32_t> indices) {
    std::vector<TensorBytes> tensors(source_.shape().size());
    for (std::size_t t = 0; t < inputs_.size(); ++t)
      tensors[t] = TensorBytes(inputs_[t]).first(indices.size() * source_.shape()[t].bytes());
    return source_.read(indices, tensors);
  }
  void add_to(Sha256& hash, std::size_t example) const {
    for (std::size_t t = 0; t < inputs_.size(); ++t) {
      const std::size_t bytes = source_.shape()[t].bytes();
      hash.update(std::span(inputs_[t]).subspan(example * bytes, bytes));
    }
  }

 private:
  const DataSource& source_;
  std::vector<std::vector<std::byte>> inputs_;
};

// The example at `place` of the block.
void add_example(const DataSource& source, const InputBlock* inputs, std::uint32_t index, std::size_t place,
                 Sha256& hash) {
  if (const auto identity = source.identity(index)) hash.update(std::as_bytes(std::span(identity->bytes)));
  else inputs->add_to(hash, place);
}

// Uniform in [0, 1) for a key that is not known, and another place for each fraction: what two fractions hold out has
// nothing in common, so that the sums of two fractions differ by many examples.
// add(hash) adds what the example is known by.
template <class Function>
double place_of(std::uint64_t key, std::uint32_t steps, Sha256& hash, const Function& add) {
  hash.update(std::as_bytes(std::span(label)));
  hash.update(std::as_bytes(std::span(&key, 1)));
  hash.update(std::as_bytes(std::span(&steps, 1)));
  add(hash);
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
  // Not made for examples that are known by something else than their inputs, which may be large.
  std::optional<InputBlock> inputs;
  const auto steps = static_cast<std::uint32_t>(std::lround(fraction * hold_out_steps));
  Sha256 hash;
  for (std::size_t begin = 0; begin < all.size(); begin += block) {
    if (stop.stop_requested())
      return fail(ErrorCode::resource, source.location(), "stopped", {}, {ReasonCode::stopped, {}});
    const auto indices = std::span(all).subspan(begin, std::min(block, all.size() - begin));
    if (!source.identity(indices[0])) {
      if (!inputs) inputs.emplace(source, std::min(block, all.size()));
      HANSA_TRY_VOID(inputs->read(indices));
    }
    for (std::size_t i = 0; i < indices.size(); ++i)
      (place_of(key, steps, hash,
                [&](Sha256& to) { add_example(source, inputs ? &*inputs : nullptr, indices[i], i, to); }) <
               fraction
           ? out.held_out
           : out.training)
          .push_back(indices[i]);
  }
  return out;
}

}  // namespace hansa::learning
