// PowerSGD: Vogels, Karimireddy, Jaggi, "PowerSGD: Practical Low-Rank Gradient Compression for Distributed
// Optimization" (NeurIPS 2019), algorithm 1, for one client's matrix: P = orthonormal(M Q), Q = M^T P, starting from
// the previous Q.
//
// Encoded as [P, float16][largest magnitude of Q, float32][Q divided by that magnitude, float16]; P and Q column by
// column.
#include <algorithm>
#include <cmath>

#include "common/kernels/levels.h"
#include "common/kernels/vectors.h"
#include "protocols/codecs/internal/half.h"
#include "protocols/codecs/internal/kinds.h"

namespace hansa::codecs::internal {
namespace {

class LowRank final : public SegmentCodec {
 public:
  LowRank(std::uint64_t values, std::uint64_t rows, std::uint32_t rank)
      : rows_(rows), columns_(values / rows), rank_(rank) {}

  std::uint64_t encoded_bytes_max() const override { return 2 * rank_ * (rows_ + columns_) + sizeof(float); }
  std::uint64_t extra_state_values() const override { return rank_ * columns_; }

  bool encode(std::span<const float> values, std::span<const float> state, std::span<float> next_state,
              const Context& context, std::vector<std::byte>& out) const override {
    std::vector<float> p(rank_ * rows_);
    for (std::uint32_t k = 0; k < rank_; ++k) {
      const auto q = next_state.subspan(k * columns_, columns_);
      if (!state.empty()) std::ranges::copy(state.subspan(k * columns_, columns_), q.begin());
      // Without a previous column the iteration starts from random signs.
      if (std::ranges::all_of(q, [](float v) { return v == 0; }) || state.empty())
        for (std::uint64_t j = 0; j < columns_; ++j)
          q[j] = (mix(mix(context.seeds.rounding, k), j) & 1) != 0 ? 1.0F : -1.0F;
      for (std::uint64_t i = 0; i < rows_; ++i)
        p[k * rows_ + i] = dot(values.subspan(i * columns_, columns_), q);
    }
    orthonormalise(p);
    std::fill(next_state.begin(), next_state.end(), 0.0F);
    for (std::uint32_t k = 0; k < rank_; ++k) {
      const auto q = next_state.subspan(k * columns_, columns_);
      for (std::uint64_t i = 0; i < rows_; ++i) {
        const float weight = p[k * rows_ + i];
        const float* row = values.data() + i * columns_;
        for (std::uint64_t j = 0; j < columns_; ++j) q[j] += weight * row[j];
      }
    }
    const float largest = kernels::largest_magnitude(next_state);
    const bool is_zero = !(largest > 1e-30F);
    std::size_t at = out.size();
    out.resize(at + encoded_bytes_max());
    for (const float value : p) {
      store(std::span(out), at, is_zero ? std::uint16_t{0} : to_f16(value));
      at += 2;
    }
    store(std::span(out), at, is_zero ? 0.0F : largest);
    at += sizeof(float);
    for (const float value : next_state) {
      store(std::span(out), at, is_zero ? std::uint16_t{0} : to_f16(value / largest));
      at += 2;
    }
    return true;
  }

  // Checks that P and Q are small enough for every product to be finite. Decoding clamps the values themselves to the
  // limit.
  std::optional<std::size_t> check(std::span<const std::byte> bytes,
                                   const Context& /*context*/) const override {
    const std::uint64_t size = encoded_bytes_max();
    if (bytes.size() < size) return std::nullopt;
    const std::size_t p_bytes = 2 * rank_ * rows_;
    if (!(std::fabs(load<float>(bytes, p_bytes)) <= 1e20F)) return std::nullopt;
    for (std::size_t at = 0; at < size; at += at == p_bytes ? sizeof(float) : 2)
      if (at != p_bytes && (load<std::uint16_t>(bytes, at) & 0x7C00) == 0x7C00) return std::nullopt;
    return size;
  }

  void fold(std::span<const std::byte> body, const Context& context, std::uint64_t first, std::uint64_t last,
            double factor, std::span<std::int64_t> sums) const override {
    const Factors factors = read(body);
    for_blocks(first, last, [&](std::uint64_t begin, std::span<float> values) {
      product(factors, begin, context.magnitude_max, values);
      for (std::size_t i = 0; i < values.size(); ++i)
        sums[begin + i] += std::llrint(static_cast<double>(values[i]) * factor);
    });
  }
  void accumulate(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                  std::uint64_t last, float sign, std::span<float> out) const override {
    const Factors factors = read(body);
    for_blocks(first, last, [&](std::uint64_t begin, std::span<float> values) {
      product(factors, begin, context.magnitude_max, values);
      for (std::size_t i = 0; i < values.size(); ++i) out[begin + i] += sign * values[i];
    });
  }
  double squares(std::span<const std::byte> body, const Context& context, std::uint64_t first,
                 std::uint64_t last) const override {
    const Factors factors = read(body);
    double out = 0;
    for_blocks(first, last, [&](std::uint64_t begin, std::span<float> values) {
      product(factors, begin, context.magnitude_max, values);
      out += kernels::sum_of_squares(values);
    });
    return out;
  }

 private:
  struct Factors {
    std::vector<float> p, q;
  };
  [[nodiscard]] Factors read(std::span<const std::byte> body) const {
    Factors out{std::vector<float>(rank_ * rows_), std::vector<float>(rank_ * columns_)};
    std::size_t at = 0;
    for (float& value : out.p) {
      value = from_f16(load<std::uint16_t>(body, at));
      at += 2;
    }
    const auto scale = load<float>(body, at);
    at += sizeof(float);
    for (float& value : out.q) {
      value = from_f16(load<std::uint16_t>(body, at)) * scale;
      at += 2;
    }
    return out;
  }
  template <class Visit>
  void for_blocks(std::uint64_t first, std::uint64_t last, const Visit& visit) const {
    std::vector<float> buffer(block_values);
    const std::uint64_t all = rows_ * columns_;
    for (std::uint64_t begin = (first + block_values - 1) / block_values * block_values;
         begin < std::min(last, all); begin += block_values)
      visit(begin, std::span(buffer).first(std::min<std::uint64_t>(block_values, all - begin)));
  }
  void product(const Factors& factors, std::uint64_t begin, float limit, std::span<float> out) const {
    for (std::size_t done = 0; done < out.size();) {
      const std::uint64_t row = (begin + done) / columns_, column = (begin + done) % columns_;
      const auto count = std::min<std::uint64_t>(columns_ - column, out.size() - done);
      float* to = out.data() + done;
      std::fill_n(to, count, 0.0F);
      for (std::uint32_t k = 0; k < rank_; ++k) {
        const float weight = factors.p[k * rows_ + row];
        const float* q = factors.q.data() + k * columns_ + column;
        for (std::uint64_t j = 0; j < count; ++j) to[j] += weight * q[j];
      }
      done += count;
    }
    for (float& value : out) value = std::clamp(value, -limit, limit);
  }
  static float dot(std::span<const float> a, std::span<const float> b) {
    double sum = 0;
    for (std::size_t i = 0; i < a.size(); ++i) sum += static_cast<double>(a[i]) * b[i];
    return static_cast<float>(sum);
  }
  // Gram-Schmidt orthonormalisation, in two passes because of rounding. A column that depends on earlier ones becomes
  // zero.
  void orthonormalise(std::vector<float>& p) const {
    for (std::uint32_t k = 0; k < rank_; ++k) {
      const auto column = std::span(p).subspan(k * rows_, rows_);
      const double before = std::sqrt(static_cast<double>(dot(column, column)));
      for (int pass = 0; pass < 2; ++pass) {
        for (std::uint32_t other = 0; other < k; ++other) {
          const auto earlier = std::span<const float>(p).subspan(other * rows_, rows_);
          const float part = dot(column, earlier);
          for (std::uint64_t i = 0; i < rows_; ++i) column[i] -= part * earlier[i];
        }
      }
      const double length = std::sqrt(static_cast<double>(dot(column, column)));
      const bool dependent = !(length > 1e-6 * before) || length < 1e-30;
      for (float& value : column) value = dependent ? 0.0F : static_cast<float>(value / length);
    }
  }

  std::uint64_t rows_, columns_;
  std::uint32_t rank_;
};

}  // namespace

std::unique_ptr<SegmentCodec> make_lowrank(std::uint64_t values, std::uint64_t rows, std::uint32_t rank) {
  return std::make_unique<LowRank>(values, rows, rank);
}

}  // namespace hansa::codecs::internal
