// Times of one secure round. Every client runs the whole protocol, one after the other; a tenth of them drops out
// before sending its masked vector. Prints the seconds of one client, of the aggregator's sum, of unmasking, and of all
// the aggregator's work; the peak memory of the process (including one client's vectors); and the bytes sent for each
// parameter.
//
// With --cipher: the speed of mask generation as a fraction of the speed of OpenSSL's AES-256-CTR alone, on this core.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <memory>
#include <thread>

#include <CLI/CLI.hpp>
#include <fmt/core.h>
#include <openssl/evp.h>
#include <sys/resource.h>

#include "common/random.h"
#include "protocols/secure_aggregation/aggregator.h"
#include "protocols/secure_aggregation/client.h"
#include "protocols/secure_aggregation/masked_sum.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"

namespace hansa::secure_aggregation {
namespace {

class Stopwatch {
 public:
  [[nodiscard]] double seconds() const {
    return std::chrono::duration<double>(std::chrono::steady_clock::now() - start_).count();
  }

 private:
  std::chrono::steady_clock::time_point start_ = std::chrono::steady_clock::now();
};

double median(std::vector<double> values) {
  std::ranges::sort(values);
  return values[values.size() / 2];
}

double peak_mib() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  return static_cast<double>(usage.ru_maxrss) / 1024;
}

struct Times {
  double round_s = 0, mask_s = 0;  // median over the clients
  double sum_s = 0, unmask_s = 0, total_s = 0;  // of the aggregator
  std::size_t packed = 0, elements = 0;
  GraphParameters graph;
};

// Buffers that a client reuses from round to round, so that the first touch of memory is not measured.
struct Buffers {
  std::vector<float> values, mean;
  std::vector<std::uint32_t> numbers;
  std::vector<std::byte> packed;
};

Result<Times> one_sum(std::uint32_t clients, std::size_t parameters, Buffers& buffers) {
  SumSetup setup;
  setup.federation = "bench";
  setup.round = RoundId(1);
  setup.segments = {{parameters, 1}};
  setup.clients = clients;
  setup.quantisation = {255, ring_bits(clients, 255), 0.5, 1};
  const unsigned bits = setup.quantisation.ring_bits;

  HANSA_TRY(const SigningKey root, SigningKey::generate());
  std::vector<std::unique_ptr<SigningKey>> keys;
  std::vector<Certificate> certificates;
  for (std::uint32_t i = 0; i < clients; ++i) {
    HANSA_TRY(SigningKey key, SigningKey::generate());
    keys.push_back(std::make_unique<SigningKey>(std::move(key)));
    HANSA_TRY(Certificate certificate, certify(root, setup.federation, fmt::format("client-{:04}", i),
                                               keys.back()->public_key(), holds_always));
    certificates.push_back(std::move(certificate));
  }

  Times times;
  times.elements = vector_elements(setup);
  buffers.values.resize(parameters, 0.01F);
  buffers.mean.resize(parameters);
  buffers.numbers.resize(times.elements);
  buffers.packed.resize(packed_bytes(times.elements, bits));
  times.packed = buffers.packed.size();

  const auto at_aggregator = [&times](auto&& step) {
    const Stopwatch watch;
    auto out = step();
    times.total_s += watch.seconds();
    return out;
  };
  HANSA_TRY(AggregatorSum aggregator, AggregatorSum::begin(setup, certificates));
  std::vector<ClientSum> members;
  for (std::uint32_t i = 0; i < clients; ++i) {
    HANSA_TRY(ClientSum member,
              ClientSum::begin(setup, Policy(), {certificates[i].client, keys[i].get(), root.public_key()}));
    members.push_back(std::move(member));
    HANSA_TRY_VOID(
        at_aggregator([&] { return aggregator.on_advert(certificates[i].client, members[i].advert()); }));
  }
  HANSA_TRY_VOID(at_aggregator([&] { return aggregator.fix_roster(); }));
  times.graph = aggregator.parameters();
  for (std::uint32_t i = 0; i < clients; ++i) {
    HANSA_TRY(auto shares, members[i].on_roster(aggregator.encoded_roster(), UtcSeconds{}));
    HANSA_TRY_VOID(at_aggregator([&] { return aggregator.on_shares(i, std::move(shares)); }));
  }
  HANSA_TRY_VOID(at_aggregator([&] { return aggregator.fix_sharers(); }));

  std::vector<double> round_s, mask_s;
  MaskedSum sum(aggregator.context(), clients, times.elements, bits);
  for (std::uint32_t i = 0; i < clients; ++i) {
    const auto delivery = at_aggregator([&] { return aggregator.delivery_for(i); });
    HANSA_TRY_VOID(members[i].on_delivery(*delivery));
    if (i % 10 == 9) continue;  // drops out
    Secret32 seed;
    seed.bytes()[0] = static_cast<std::uint8_t>(i);
    const Stopwatch rounding;
    HANSA_TRY_VOID(quantise(buffers.values, 1, {}, setup, seed, buffers.numbers));
    round_s.push_back(rounding.seconds());
    const Stopwatch masking;
    HANSA_TRY(const auto terms, members[i].mask_terms());
    HANSA_TRY_VOID(apply_masks(buffers.numbers, terms, bits));
    pack(buffers.numbers, bits, buffers.packed);
    mask_s.push_back(masking.seconds());
    HANSA_TRY_VOID(at_aggregator([&] { return aggregator.on_masked(i); }));
    const Stopwatch adding;
    HANSA_TRY_VOID(at_aggregator([&] { return sum.add(i, buffers.packed); }));
    times.sum_s += adding.seconds();
  }
  times.round_s = median(std::move(round_s));
  times.mask_s = median(std::move(mask_s));
  HANSA_TRY_VOID(at_aggregator([&] { return aggregator.fix_survivors(); }));
  const UnmaskRequest request = aggregator.request();
  for (std::uint32_t i = 0; i < clients; ++i) {
    if (!request.survivors.has(i)) continue;
    HANSA_TRY(auto answer, members[i].on_unmask(request));
    HANSA_TRY_VOID(at_aggregator([&] { return aggregator.on_answer(i, std::move(answer)); }));
  }
  const Stopwatch unmasking;
  HANSA_TRY(const auto terms,
            at_aggregator([&] { return open_masks(aggregator.revealed(), OpeningEffort::all).terms; }));
  HANSA_TRY(const auto plain,
            at_aggregator([&] { return sum.unmask(terms, std::thread::hardware_concurrency()); }));
  HANSA_TRY(const auto totals, at_aggregator([&] {
              return dequantise(plain, static_cast<std::uint32_t>(request.survivors.count()), setup,
                                buffers.mean);
            }));
  times.unmask_s = unmasking.seconds();
  if (totals.weight != static_cast<double>(request.survivors.count()))
    return fail(ErrorCode::internal, "bench", "the sum is wrong");
  return times;
}

Result<void> print_sum(std::uint32_t clients, std::size_t parameters, unsigned runs) {
  Buffers buffers;
  std::vector<Times> all;
  for (unsigned i = 0; i < runs; ++i) {
    HANSA_TRY(Times times, one_sum(clients, parameters, buffers));
    all.push_back(times);
  }
  const auto of = [&](double Times::*what) {
    std::vector<double> values;
    for (const Times& times : all) values.push_back(times.*what);
    return median(std::move(values));
  };
  const Times& any = all.front();
  fmt::print("{:.4f} {:.4f} {:.4f} {:.4f} {:.4f} {:.1f} {:.4f} {} {}\n", of(&Times::round_s),
             of(&Times::mask_s), of(&Times::sum_s), of(&Times::unmask_s), of(&Times::total_s), peak_mib(),
             static_cast<double>(any.packed) / static_cast<double>(parameters), any.graph.neighbours,
             any.graph.threshold);
  return {};
}

// Bytes of key stream per second, measured in turns, so that other load on the machine affects both.
Result<void> print_cipher_fraction() {
  constexpr std::size_t elements = 1'000'000;
  constexpr std::size_t terms_count = 40;
  std::vector<std::uint32_t> values(elements);
  std::vector<MaskTerm> terms(terms_count);
  for (std::size_t i = 0; i < terms_count; ++i) {
    terms[i].seed.bytes()[0] = static_cast<std::uint8_t>(i);
    terms[i].sign = i % 2 == 0 ? MaskSign::add : MaskSign::subtract;
  }
  const std::unique_ptr<EVP_CIPHER_CTX, decltype(&::EVP_CIPHER_CTX_free)> cipher(::EVP_CIPHER_CTX_new(),
                                                                                 &::EVP_CIPHER_CTX_free);
  const std::array<std::uint8_t, 32> key{};
  if (::EVP_EncryptInit_ex(cipher.get(), ::EVP_aes_256_ctr(), nullptr, key.data(), key.data()) != 1)
    return fail(ErrorCode::internal, "bench", "OpenSSL has no AES-256-CTR");
  const auto raw = [&](std::size_t block) {
    std::vector<std::uint8_t> in(block), out(block);
    const std::size_t blocks = elements * 2 * terms_count / block;
    const Stopwatch watch;
    for (std::size_t i = 0; i < blocks; ++i) {
      int written = 0;
      ::EVP_EncryptUpdate(cipher.get(), out.data(), &written, in.data(), static_cast<int>(block));
    }
    return static_cast<double>(blocks * block) / watch.seconds();
  };
  std::vector<double> fractions, rates;
  for (int run = 0; run < 15; ++run) {
    const double limit = std::max({raw(4096), raw(8192), raw(16384)});
    const Stopwatch watch;
    HANSA_TRY_VOID(apply_masks(values, terms, 15));
    const double rate = elements * 2 * terms_count / watch.seconds();
    rates.push_back(limit / 1e9);
    fractions.push_back(rate / limit);
  }
  fmt::print("{:.3f} {:.2f}\n", median(fractions), median(rates));
  return {};
}

}  // namespace
}  // namespace hansa::secure_aggregation

int main(int argc, char** argv) {
  std::uint32_t clients = 10;
  std::size_t parameters = 100'000;
  unsigned runs = 1;
  bool cipher = false;
  CLI::App app("Times of one secure round");
  app.add_option("--clients", clients, "clients in the cohort");
  app.add_option("--parameters", parameters, "parameters of the model");
  app.add_option("--runs", runs, "number of runs; the medians are printed");
  app.add_flag("--cipher", cipher, "compare mask generation with the cipher alone");
  CLI11_PARSE(app, argc, argv);
  namespace sa = hansa::secure_aggregation;
  const auto done = cipher ? sa::print_cipher_fraction() : sa::print_sum(clients, parameters, runs);
  if (done) return 0;
  std::fputs((done.error().text() + "\n").c_str(), stderr);
  return 1;
}
