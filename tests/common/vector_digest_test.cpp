#include "common/vector_digest.h"

#include <numeric>

#include <gtest/gtest.h>

namespace hansa {
namespace {

std::vector<float> counting(std::size_t count) {
  std::vector<float> values(count);
  std::iota(values.begin(), values.end(), 0.0F);
  return values;
}

// Computed in Python, with b = struct.pack of 0.0, 1.0, ... as '<f' and h = hashlib.sha256: h(b), or above 1 MiB
// h(b"hansa vector 1" + struct.pack('<Q', len(b)) + b"".join(h(b[i:i+2**20]).digest() for i in range(0, len(b),
// 2**20)))
struct Known {
  std::size_t count;
  const char* hex;
};
constexpr Known known[] = {{0, "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"},
                           {3, "75664b4da1c08de9e8fad52303cc458b3e420edde6591e58761e138cc5e3f163"},
                           {262'143, "30801c899862d83e52edd55a36287e76a998d6c2b61a08b5901164336b9e3fd5"},
                           {262'144, "a9179a1d3a7953e8b9ebe28512a060b5c9060d3e33ce4f6b7ab84690076e9df5"},
                           {262'145, "ea95477381de5a8f1ef5ef38619c199001a22f79a968b05850aefbc854a80d33"},
                           {524'288, "5d3f4f8efa3e308e486672731592c4b6c432cb6d90f478d4f692a51c9f643f51"},
                           {600'001, "b46e9e4d5ea98a424cf4ab011503b29125377e763965157ec66615a0aaa8fb5d"}};

TEST(VectorDigest, IsThatOfPythonForAnyNumberOfThreads) {
  for (const auto& [count, hex] : known)
    for (const unsigned threads : {1U, 2U, 5U})
      EXPECT_EQ(vector_digest(counting(count), threads).hex(), hex) << count << " values";
}

TEST(VectorDigest, IsTheSameInParts) {
  VectorDigest digest;
  for (const std::size_t part :
       {std::size_t{1}, std::size_t{1'000'003}, vector_piece_bytes, std::size_t{5} << 20})
    for (const auto& [count, hex] : known) {
      const auto values = counting(count);
      auto rest = std::as_bytes(std::span(values));
      if (rest.size() / part > 2'000'000) continue;  // byte by byte would be slow
      for (; !rest.empty(); rest = rest.subspan(std::min(part, rest.size())))
        digest.update(rest.first(std::min(part, rest.size())));
      EXPECT_EQ(digest.finish().hex(), hex) << count << " values in parts of " << part;
    }
}

}  // namespace
}  // namespace hansa
