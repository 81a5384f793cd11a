// The generated parts of docs/secure-aggregation.md equal the results of the code. HANSA_WRITE_GOLDEN=1 rewrites them.
// A change is a change of the protocol.
#include <cstdlib>
#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "protocols/secure_aggregation/aggregator.h"
#include "protocols/secure_aggregation/mask.h"
#include "protocols/secure_aggregation/masked_sum.h"
#include "protocols/secure_aggregation/packing.h"
#include "protocols/secure_aggregation/quantise.h"
#include "protocols/secure_aggregation/share_box.h"
#include "protocols/secure_aggregation/shamir.h"
#include "tests/secure_aggregation/hex.h"

namespace hansa::secure_aggregation {
namespace {

using testing::to_hex;

std::string read_page() {
  std::ifstream file(HANSA_SECURE_AGGREGATION_PAGE);
  std::stringstream text;
  text << file.rdbuf();
  return text.str();
}

// "name = hex" lines, which are also the fuzzer's corpus.
void expect_golden(const std::vector<std::pair<std::string, std::vector<std::byte>>>& values) {
  std::string text = "# Encoded values of the worked example in docs/secure-aggregation.md.\n";
  for (const auto& [name, bytes] : values)
    text += name + " = " + to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()}) + "\n";
  if (std::getenv("HANSA_WRITE_GOLDEN") != nullptr)
    std::ofstream(HANSA_GOLDEN_VALUES, std::ios::trunc) << text;
  std::ifstream file(HANSA_GOLDEN_VALUES);
  std::stringstream there;
  there << file.rdbuf();
  EXPECT_EQ(there.str(), text);
}

void expect_generated(const std::string& part, const std::string& text) {
  std::string page = read_page();
  const std::string begin = "<!-- generated: " + part + " -->\n", end = "<!-- end -->";
  const auto from = page.find(begin);
  ASSERT_NE(from, std::string::npos) << part;
  const auto to = page.find(end, from);
  ASSERT_NE(to, std::string::npos) << part;
  const auto start = from + begin.size();
  if (std::getenv("HANSA_WRITE_GOLDEN") != nullptr) {
    page.replace(start, to - start, text);
    std::ofstream(HANSA_SECURE_AGGREGATION_PAGE, std::ios::trunc) << page;
    return;
  }
  EXPECT_EQ(page.substr(start, to - start), text);
}

TEST(Page, ParametersAreThoseOfTheCode) {
  std::string text =
      "| clients | k, t: dropout 5 % | 10 % | 20 % | 30 % |\n| --- | --- | --- | --- | --- |\n";
  for (const std::uint32_t clients : {4U, 10U, 50U, 100U, 200U, 500U, 1000U}) {
    text += "| " + std::to_string(clients) + " |";
    for (const double dropout : {0.05, 0.1, 0.2, 0.3}) {
      Assumptions assumptions;
      assumptions.dropout = dropout;
      const auto found = choose_parameters(clients, assumptions);
      text += found ? " " + std::to_string(found->neighbours) + ", " + std::to_string(found->threshold) + " |"
                    : std::string(" none |");
    }
    text += "\n";
  }
  text += "\nIn the active model, complete graph:\n\n| clients | t |\n| --- | --- |\n";
  for (const std::uint32_t clients : {4U, 10U, 50U, 100U, 500U}) {
    Assumptions assumptions;
    assumptions.threat_model = ThreatModel::active;
    const auto found = choose_parameters(clients, assumptions);
    ASSERT_TRUE(found);
    text += "| " + std::to_string(clients) + " | " + std::to_string(found->threshold) + " |\n";
  }
  expect_generated("parameters", text);
}

// 32 bytes: first, first + 1, ...
Secret32 counting(std::uint8_t first) {
  Secret32 out;
  for (auto& byte : out.bytes()) byte = first++;
  return out;
}
std::string words(std::span<const std::uint32_t> values) {
  std::string out;
  for (const std::uint32_t value : values) out += (out.empty() ? "" : " ") + std::to_string(value);
  return out;
}

// Every secret is a sequence of counting bytes, so that the page can state it briefly.
TEST(Page, ExampleEqualsTheResultsOfTheCode) {
  std::string text = "```\n";
  const auto say = [&text](const std::string& what, const std::string& value) {
    text += what + std::string(what.size() < 34 ? 34 - what.size() : 1, ' ') + value + "\n";
  };
  SumSetup setup;
  setup.federation = "example";
  setup.round = RoundId(7);
  setup.attempt = 1;
  std::ranges::copy(counting(0xe0).bytes(), setup.nonce.bytes.begin());
  setup.model = sha256(std::string_view("model"));
  setup.work = sha256(std::string_view("work"));
  setup.segments = {{3, 1}, {2, 0.25, SegmentKind::statistics}};
  setup.clients = 3;
  setup.quantisation = {255, 10, 0.5, 100};
  setup.metrics = {"loss"};
  setup.certificate_epoch = 2;
  say("setup: federation, round, attempt", "example, 7, 1");
  say("nonce", "e0 e1 e2 … (counting up, 32 bytes)");
  say("model, work", "SHA-256 of \"model\", of \"work\"");
  say("segments", "3 parameters in scales of 1, 2 statistics in scales of 0.25");
  say("clients", "3");
  say("levels, ring_bits", "255, 10");
  say("clip, weight_unit", "0.5, 100");
  say("metrics", "loss");
  say("assumptions", "honest but curious, corrupt 0.2, dropout 0.1, 40 and 20 bits");
  say("certificate_epoch", "2");
  say("H(setup)", setup.digest().hex());

  const auto root = SigningKey::of(counting(0x80));
  ASSERT_TRUE(root);
  say("root secret", "80 81 82 …");
  say("root identity", to_hex(root->public_key()));
  const char* names[] = {"a", "b", "c"};
  Roster roster;
  std::vector<Secret32> mask_keys, self_seeds, share_keys;
  for (std::uint8_t i = 0; i < 3; ++i) {
    const auto identity = SigningKey::of(counting(static_cast<std::uint8_t>(0x40 + i)));
    ASSERT_TRUE(identity);
    share_keys.push_back(counting(static_cast<std::uint8_t>(0x01 + i)));
    mask_keys.push_back(counting(static_cast<std::uint8_t>(0x11 + i)));
    self_seeds.push_back(counting(static_cast<std::uint8_t>(0x21 + i)));
    RosterEntry entry;
    entry.certificate = *certify(*root, setup.federation, names[i], identity->public_key(),
                                 {2, {1'800'000'000}, {1'834'560'000}});
    entry.advert.share_key = *public_key_of(share_keys.back());
    entry.advert.mask_key = *public_key_of(mask_keys.back());
    entry.advert.self_seed_commitment = commit_to(self_seeds.back(), setup.digest());
    std::ranges::copy(counting(static_cast<std::uint8_t>(0x31 + i)).bytes(), entry.advert.nonce.begin());
    ASSERT_TRUE(sign(entry.advert, names[i], setup.digest(), *identity));
    roster.push_back(entry);
  }
  say("secrets of a", "identity 40 41 …, share key 01 02 …, mask key 11 12 …,");
  say("", "self seed 21 22 …, nonce 31 32 …; b and c: each begins one higher, two higher");
  const RosterEntry& a = roster[0];
  say("a: identity", to_hex(a.certificate.identity));
  say("certificates: epoch, issued, expires", "2, 1800000000, 1834560000");
  say("a: certificate", to_hex(a.certificate.signature).substr(0, 64));
  say("", to_hex(a.certificate.signature).substr(64));
  say("a: share key", to_hex(a.advert.share_key));
  say("a: mask key", to_hex(a.advert.mask_key));
  say("a: commitment", a.advert.self_seed_commitment.hex());
  say("a: signature of the advert", to_hex(a.advert.signature).substr(0, 64));
  say("", to_hex(a.advert.signature).substr(64));
  const auto encoded = encode(roster);
  const Digest roster_digest = sha256(std::span<const std::byte>(encoded));
  say("H(roster), of " + std::to_string(encoded.size()) + " bytes", roster_digest.hex());
  const auto parameters = choose_parameters(3, setup.assumptions);
  ASSERT_TRUE(parameters);
  const Digest context = context_of(setup, roster_digest, *parameters);
  say("k, t", std::to_string(parameters->neighbours) + ", " + std::to_string(parameters->threshold));
  say("H(context)", context.hex());

  // The shares of a's mask key.
  std::vector<Secret32> coefficients;
  coefficients.push_back(counting(0xa0));
  const auto key_shares = split_with(mask_keys[0], coefficients, 3);
  std::vector<Secret32> seed_coefficients;
  seed_coefficients.push_back(counting(0xc0));
  const auto seed_shares = split_with(self_seeds[0], seed_coefficients, 3);
  say("coefficient of x: mask key", "a0 a1 …");
  say("coefficient of x: self seed", "c0 c1 …");
  for (int i = 0; i < 3; ++i)
    say("share of a's mask key for " + std::string(names[i]) + ", x = " + std::to_string(i + 1),
        to_hex(key_shares[static_cast<std::size_t>(i)].bytes()));
  const auto shared = agree(share_keys[0], roster[1].advert.share_key);
  ASSERT_TRUE(shared);
  const Secret32 box_key = derive_key(*shared, context, KeyPurpose::share_encryption, "a", "b");
  say("key of shares from a to b", to_hex(box_key.bytes()));
  SharePair pair{key_shares[1].copy(), seed_shares[1].copy()};
  const auto sealed = seal(pair, box_key, {context, "a", "b"});
  ASSERT_TRUE(sealed);
  for (std::size_t i = 0; i < sealed->size(); i += 32)
    say(i == 0 ? "sealed shares from a to b" : "",
        to_hex(std::span(*sealed).subspan(i, std::min<std::size_t>(32, sealed->size() - i))));

  // The masks and the vectors.
  std::vector<std::uint32_t> plain[3];
  MaskedSum sum(context, 3, vector_elements(setup), setup.quantisation.ring_bits);
  for (std::uint32_t i = 0; i < 3; ++i) {
    std::vector<std::uint32_t>& numbers = plain[i];
    numbers.assign(vector_elements(setup), 0);
    // The model's ring elements are given directly, so that the page needs no rounding; the weight is a scalar.
    for (std::uint32_t e = 0; e < 3; ++e) numbers[e] = 50 * i + e;
    numbers[3] = 10 + i;
    std::vector<MaskTerm> terms;
    terms.push_back({derive_key(self_seeds[i], context, KeyPurpose::self_mask, names[i], {}), MaskSign::add});
    if (i == 0) {
      say("self mask key of a", to_hex(terms[0].seed.bytes()));
    }
    for (std::uint32_t j = 0; j < 3; ++j) {
      if (j == i) continue;
      const auto both = agree(mask_keys[i], roster[j].advert.mask_key);
      ASSERT_TRUE(both);
      terms.push_back({derive_key(*both, context, KeyPurpose::pairwise_mask, names[std::min(i, j)],
                                  names[std::max(i, j)]),
                       i < j ? MaskSign::add : MaskSign::subtract});
      if (i == 0)
        say("pairwise mask key of a and " + std::string(names[j]), to_hex(terms.back().seed.bytes()));
      if (i == 0 && j == 1) {
        std::vector<std::uint32_t> first(8);
        auto stream = MaskStream::create(terms.back().seed, setup.quantisation.ring_bits);
        ASSERT_TRUE(stream && stream->apply(first, 0, MaskSign::add));
        reduce(first, setup.quantisation.ring_bits);
        say("first words of this mask", words(first));
      }
    }
    if (i == 0) {
      say("ring elements of a",
          words(std::span(numbers).first(8)) + " then zeros, " + std::to_string(numbers.size()) + " in all");
    }
    std::vector<std::uint32_t> masked = numbers;
    ASSERT_TRUE(apply_masks(masked, terms, setup.quantisation.ring_bits));
    std::vector<std::byte> packed(packed_bytes(masked.size(), setup.quantisation.ring_bits));
    pack(masked, setup.quantisation.ring_bits, packed);
    if (i == 0) {
      say("masked elements of a", words(std::span(masked).first(8)) + " …");
      const auto bytes = std::span(reinterpret_cast<const std::uint8_t*>(packed.data()), packed.size());
      say("packed, first 32 bytes of " + std::to_string(packed.size()), to_hex(bytes.first(32)));
      say("SHA-256 of the packed vector", sha256(std::span<const std::byte>(packed)).hex());
    }
    ASSERT_TRUE(sum.add(i, packed));
  }
  expect_golden({{"Roster", encoded}, {"MaskedSum", sum.encode()}});
  std::vector<MaskTerm> selves;
  for (std::uint32_t i = 0; i < 3; ++i)
    selves.push_back(
        {derive_key(self_seeds[i], context, KeyPurpose::self_mask, names[i], {}), MaskSign::subtract});
  const auto total = sum.unmask(selves, 1);
  ASSERT_TRUE(total);
  for (std::size_t e = 0; e < total->size(); ++e)
    ASSERT_EQ((*total)[e], plain[0][e] + plain[1][e] + plain[2][e]);
  say("sum of all three, unmasked", words(total->first(8)) + " …");
  expect_generated("example", text + "```\n");
}

}  // namespace
}  // namespace hansa::secure_aggregation
