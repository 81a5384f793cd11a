// Golden vectors of every codec: the bytes that are sent, and the values that they decode to. HANSA_WRITE_GOLDEN=1
// rewrites the file. A change to it needs a new protocol version.
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

#include "common/digest.h"
#include "common/hex.h"
#include "tests/codecs/support.h"

namespace hansa::codecs {
namespace {

constexpr Seeds seeds{1, 2, 3};

// Values that are exact in float32, of both signs, a few of them large.
std::vector<float> sample(std::size_t values) {
  std::vector<float> out(values);
  for (std::size_t i = 0; i < values; ++i) {
    out[i] = static_cast<float>(static_cast<int>(i * 37 % 101) - 50) / 1024;
    if (i % 17 == 3) out[i] *= 32;
  }
  return out;
}

std::string bytes_hex(std::span<const std::byte> bytes) {
  return to_hex({reinterpret_cast<const std::uint8_t*>(bytes.data()), bytes.size()});
}

std::string key_of(std::string text) {
  std::erase(text, ' ');
  return text;
}

struct Golden {
  std::string update;  // hex
  std::string decoded;  // digest of the float32 values
};

Golden encode_sample(const std::string& text) {
  const Plan plan = plan_of(text, 40);
  const auto encoded = encode(plan, sample(plan.values()), seeds);
  const auto decoded = decode(plan, encoded.bytes, seeds);
  return {bytes_hex(encoded.bytes), sha256(std::as_bytes(std::span(decoded))).hex()};
}

std::map<std::string, Golden> read_golden() {
  std::map<std::string, Golden> out;
  std::ifstream file(HANSA_CODEC_VALUES);
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line[0] == '#') continue;
    std::istringstream words(line);
    std::string name, sign, value;
    words >> name >> sign >> value;
    EXPECT_TRUE(words) << line;
    (sign == "=" ? out[name].update : out[name].decoded) = value;
  }
  return out;
}

TEST(Golden, EveryCodecEncodesToItsVectorAndDecodesIt) {
  if (std::getenv("HANSA_WRITE_GOLDEN") != nullptr) {
    std::ofstream file(HANSA_CODEC_VALUES, std::ios::trunc);
    file << "# Codec, update of 40 values (41 for lowrank), SHA-256 of the decoded float32 values. Value i "
            "is\n"
         << "# (i * 37 mod 101 - 50) / 1024, times 32 where i mod 17 is 3. Seeds: update 1, cohort 2, "
            "rounding 3.\n";
    for (const std::string& text : every_spec) {
      const Golden golden = encode_sample(text);
      file << key_of(text) << " = " << golden.update << '\n'
           << key_of(text) << " decodes-to " << golden.decoded << '\n';
    }
  }
  auto golden = read_golden();
  EXPECT_EQ(golden.size(), every_spec.size());
  for (const std::string& text : every_spec) {
    const Golden now = encode_sample(text);
    EXPECT_EQ(golden[key_of(text)].update, now.update) << text;
    EXPECT_EQ(golden[key_of(text)].decoded, now.decoded) << text;
  }
}

}  // namespace
}  // namespace hansa::codecs
