// What adding an update costs on one core, against the memory it must move: 10 M values, int64 sums on huge pages.
//
// The bound is the bytes that are read and written over the speed of a loop that does nothing but read and write the sums.
#include <algorithm>
#include <cmath>
#include <map>
#include <string>
#include <vector>

#include <benchmark/benchmark.h>
#include <fmt/core.h>

#include "common/kernels/fold.h"
#include "common/kernels/hadamard.h"
#include "common/random.h"
#include "protocols/codecs/encoder.h"
#include "protocols/codecs/update.h"
#include "server/aggregation/internal/page_buffer.h"

namespace hansa {
namespace {

constexpr std::size_t values = 10'000'000;
const double factor = std::ldexp(600.0, 32);

std::span<std::int64_t> sums() {
  static server::internal::PageBuffer buffer(values * sizeof(std::int64_t));
  return {reinterpret_cast<std::int64_t*>(buffer.data()), values};
}

const std::vector<float>& update() {
  static const std::vector<float> out = [] {
    std::vector<float> made(values);
    Random random(1);
    for (float& value : made) value = static_cast<float>(0.01 * random.normal());
    return made;
  }();
  return out;
}

void report(benchmark::State& state, double bytes_a_value) {
  state.SetBytesProcessed(
      static_cast<std::int64_t>(static_cast<double>(state.iterations()) * values * bytes_a_value));
}

void stream(benchmark::State& state) {
  const auto to = sums();
  for (auto _ : state) {
    for (std::int64_t& sum : to) sum += 3;
    benchmark::ClobberMemory();
  }
  report(state, 16);
}
BENCHMARK(stream)->Unit(benchmark::kMillisecond);

void add_f32(benchmark::State& state) {
  const auto& from = update();
  for (auto _ : state) {
    kernels::add_scaled(sums(), from, factor);
    benchmark::ClobberMemory();
  }
  report(state, 20);
}
BENCHMARK(add_f32)->Unit(benchmark::kMillisecond);

void fold(benchmark::State& state, const char* codec) {
  const auto plan = *codecs::Plan::create({{values, *codecs::parse_spec(codec, "bench"), 0}});
  std::vector<std::byte> bytes, memory;
  std::vector<float> kept(plan.state_values());
  codecs::Encoder(plan).encode(update(), {}, kept, {1, 2, 3}, 64, codecs::Entropy::never, bytes);
  const auto read = codecs::Update::read(plan, {1, 2, 3}, 64, bytes, memory);
  for (auto _ : state) {
    read->fold(0, values, factor, sums());
    benchmark::ClobberMemory();
  }
  report(state, 16 + static_cast<double>(bytes.size()) / values);
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
  for (auto _ : state) encoder.encode(update(), {}, kept, {1, 2, 3}, 64, entropy, bytes);
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

// Prints as usual, and remembers the rates.
class Rates final : public benchmark::ConsoleReporter {
 public:
  Rates() : ConsoleReporter(OO_Tabular) {}
  void ReportRuns(const std::vector<Run>& runs) override {
    ConsoleReporter::ReportRuns(runs);
    for (const Run& run : runs) {
      const auto bytes = run.counters.find("bytes_per_second");
      if (run.aggregate_name == "median" && bytes != run.counters.end())
        rates[run.run_name.function_name] = bytes->second;
    }
  }
  std::map<std::string, double> rates;
};

}  // namespace
}  // namespace hansa

int main(int argc, char** argv) {
  std::fill(hansa::sums().begin(), hansa::sums().end(), 0);
  std::vector<char*> arguments(argv, argv + argc);
  std::string repetitions = "--benchmark_repetitions=5",
              aggregates = "--benchmark_report_aggregates_only=true";
  arguments.push_back(repetitions.data());
  arguments.push_back(aggregates.data());
  int count = static_cast<int>(arguments.size());
  benchmark::Initialize(&count, arguments.data());
  hansa::Rates reporter;
  benchmark::RunSpecifiedBenchmarks(&reporter);
  const double streaming = reporter.rates["stream"];
  for (const auto& [name, label] : {std::pair{"add_f32", "f32"}, {"fold/q8", "q8"}, {"fold/q4", "q4"}})
    if (streaming > 0 && reporter.rates[name] > 0)
      fmt::print("figure: kernel/{}_fraction_of_bandwidth {:.3f} ratio\n", label,
                 reporter.rates[name] / streaming);
  return 0;
}
