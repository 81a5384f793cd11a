// The cost of adding an update on one core, relative to the memory traffic that it needs: 10 M values, int64 sums on
// huge pages.
//
// The bound is the number of bytes read and written, divided by the speed of a loop that only reads and writes the
// sums.
#include <algorithm>
#include <chrono>
#include <cmath>
#include <cstdlib>
#include <functional>
#include <string>
#include <utility>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "common/kernels/fold.h"
#include "common/kernels/hadamard.h"
#include "common/random.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/update.h"
#include "common/page_memory.h"

namespace hansa {
namespace {

constexpr std::size_t values = 10'000'000;
const double factor = std::ldexp(600.0, 32);

std::span<std::int64_t> sums() {
  static PageBuffer buffer(values * sizeof(std::int64_t));
  return {reinterpret_cast<std::int64_t*>(buffer.data()), values};
}

std::span<const float> update() {
  static PageBuffer buffer(values * sizeof(float));  // the memory of a spool
  const std::span<float> out(reinterpret_cast<float*>(buffer.data()), values);
  static bool made = false;
  if (!std::exchange(made, true)) {
    Random random(1);
    for (float& value : out) value = static_cast<float>(0.01 * random.normal());
  }
  return out;
}

struct Encoded {
  codecs::Plan plan;
  std::vector<std::byte> bytes, memory;
  explicit Encoded(const char* codec)
      : plan(*codecs::Plan::create({{values, *codecs::parse_spec(codec, "bench"), 0}})) {
    std::vector<float> kept(plan.state_values());
    if (!codecs::Encoder(plan).encode(update(), {}, kept, {1, 2, 3}, 64, codecs::Entropy::never, bytes))
      std::abort();
  }
  [[nodiscard]] codecs::Update read() { return *codecs::Update::read(plan, {1, 2, 3}, 64, bytes, memory); }
  // Bytes that folding must move for each value.
  [[nodiscard]] double bytes_a_value() const { return 16 + static_cast<double>(bytes.size()) / values; }
};

void read_and_write_sums() {
  for (std::int64_t& sum : sums()) sum += 3;
  benchmark::ClobberMemory();
}

void report(benchmark::State& state, double bytes_a_value) {
  state.SetBytesProcessed(
      static_cast<std::int64_t>(static_cast<double>(state.iterations()) * values * bytes_a_value));
}

void stream(benchmark::State& state) {
  for (auto _ : state) read_and_write_sums();
  report(state, 16);
}
BENCHMARK(stream)->Unit(benchmark::kMillisecond);

void add_f32(benchmark::State& state) {
  const auto from = update();
  for (auto _ : state) {
    benchmark::DoNotOptimize(kernels::add_scaled_within(sums(), from, factor, 64.0F));
    benchmark::ClobberMemory();
  }
  report(state, 20);
}
BENCHMARK(add_f32)->Unit(benchmark::kMillisecond);

void fold(benchmark::State& state, const char* codec) {
  Encoded encoded(codec);
  const codecs::Update read = encoded.read();
  for (auto _ : state) {
    read.fold(0, values, factor, sums());
    benchmark::ClobberMemory();
  }
  report(state, encoded.bytes_a_value());
}
BENCHMARK_CAPTURE(fold, q8, "q8")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, q4, "q4")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, q2, "q2")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, q1, "q1")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, q4_rotated, "q4-rotated")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, q1_rotated, "q1-rotated")->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(fold, topk_1_percent, "topk(0.01, q4)")->Unit(benchmark::kMillisecond);

void encode(benchmark::State& state, const char* codec, codecs::Entropy entropy) {
  const auto plan = *codecs::Plan::create({{values, *codecs::parse_spec(codec, "bench"), 0}});
  std::vector<std::byte> bytes;
  std::vector<float> kept(plan.state_values());
  codecs::Encoder encoder(plan);
  for (auto _ : state)
    benchmark::DoNotOptimize(encoder.encode(update(), {}, kept, {1, 2, 3}, 64, entropy, bytes));
  report(state, 4);
}
BENCHMARK_CAPTURE(encode, q8, "q8", codecs::Entropy::never)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, q4, "q4", codecs::Entropy::never)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, q4_rotated, "q4-rotated", codecs::Entropy::never)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, q4_rotated_zstd, "q4-rotated", codecs::Entropy::if_smaller)
    ->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, q1_rotated, "q1-rotated", codecs::Entropy::never)->Unit(benchmark::kMillisecond);
BENCHMARK_CAPTURE(encode, topk_1_percent, "topk(0.01, q4)", codecs::Entropy::never)
    ->Unit(benchmark::kMillisecond);

void hadamard(benchmark::State& state) {
  std::vector<float> block(update().begin(), update().begin() + 4096);
  for (auto _ : state) {
    kernels::hadamard(block);
    for (float& value : block) value *= 1.0F / 64;
    benchmark::ClobberMemory();
  }
  state.SetItemsProcessed(static_cast<std::int64_t>(state.iterations()) * 4096);
}
BENCHMARK(hadamard);

double seconds_of(const std::function<void()>& work) {
  const auto begin = std::chrono::steady_clock::now();
  work();
  return std::chrono::duration<double>(std::chrono::steady_clock::now() - begin).count();
}

struct Measured {
  const char* name;
  double bytes_a_value;
  std::function<void()> kernel;
  std::vector<double> ratios;
};

// On a shared machine the speed of memory and processor changes from second to second. The kernels therefore take
// turns, each next to the bound measured at the same moment, and a figure is the median of its ratios.
void print_figures() {
  constexpr int turns = 121;
  Encoded q8("q8"), q4("q4");
  const codecs::Update read8 = q8.read(), read4 = q4.read();
  Measured all[] = {
      {"f32",
       20,
       [] { benchmark::DoNotOptimize(kernels::add_scaled_within(sums(), update(), factor, 64.0F)); },
       {}},
      {"q8", q8.bytes_a_value(), [&] { read8.fold(0, values, factor, sums()); }, {}},
      {"q4", q4.bytes_a_value(), [&] { read4.fold(0, values, factor, sums()); }, {}}};
  for (int turn = 0; turn < turns; ++turn)
    for (Measured& measured : all) {
      const double bound = seconds_of(read_and_write_sums) / 16 * measured.bytes_a_value;
      measured.ratios.push_back(bound / seconds_of(measured.kernel));
    }
  for (Measured& measured : all) {
    std::ranges::nth_element(measured.ratios, measured.ratios.begin() + turns / 2);
    fmt::print("figure: kernel/{}_fraction_of_bandwidth {:.3f} ratio\n", measured.name,
               measured.ratios[turns / 2]);
  }
}

}  // namespace
}  // namespace hansa

int main(int argc, char** argv) {
  std::fill(hansa::sums().begin(), hansa::sums().end(), 0);
  std::vector<char*> arguments(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=5",
              aggregates = "--benchmark_report_aggregates_only=true",
              tabular = "--benchmark_counters_tabular=true";
  arguments.push_back(tabular.data());
  arguments.push_back(repetitions.data());
  arguments.push_back(aggregates.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  benchmark::RunSpecifiedBenchmarks();
  hansa::print_figures();
  return 0;
}
