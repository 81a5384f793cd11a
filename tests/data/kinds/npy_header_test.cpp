// The header of .npy files: what is read, and what is refused.
#include "learning/data/kinds/npy/npy_header.h"

#include <gmock/gmock.h>

#include "learning/data/kinds/npy/python_dict.h"
#include "tests/data/kinds/npy_files.h"

namespace hansa::learning::kinds {
namespace {

using testing::Bytes;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using testing::npy_bytes;
using testing::npy_bytes_with_dict;

Result<NpyHeader> parse(const Bytes& bytes) {
  return parse_npy_header(std::as_bytes(std::span(bytes)), bytes.size(), "x.npy");
}
Error refusal(const Bytes& bytes) {
  const Result<NpyHeader> header = parse(bytes);
  return header ? Error{ErrorCode::internal, "", "was read", ""} : header.error();
}

TEST(NpyHeader, IsReadInEachVersion) {
  for (std::uint8_t version = 1; version <= 3; ++version) {
    const auto header = parse(npy_bytes({">f8", "(1, 2)", "True", version}, Bytes(16)));
    ASSERT_TRUE(header) << header.error().text();
    EXPECT_EQ(header->type, NumberType::float64);
    EXPECT_EQ(header->byte_order, std::endian::big);
    EXPECT_EQ(header->order, ValueOrder::fortran);
    EXPECT_THAT(header->shape, ElementsAre(1, 2));
    EXPECT_EQ(header->bytes % 64, 0U);
    EXPECT_EQ(header->value_bytes, 16U);
  }
}

TEST(NpyHeader, KeysMayHaveAnyOrderAndNumbersOfPython2AnL) {
  const auto header =
      parse(npy_bytes_with_dict("{\"shape\" : ( 3L,2L ) ,\"fortran_order\":False, 'descr':'|u1'}", Bytes(6)));
  ASSERT_TRUE(header) << header.error().text();
  EXPECT_THAT(header->shape, ElementsAre(3, 2));
}

TEST(NpyHeader, DamagedTextIsRefused) {
  for (const char* dict :
       {"", "{", "}", "{}", "{'descr': '<f4'}", "{'descr': '<f4', 'fortran_order': False, 'shape': (2,",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,)} 1",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (-2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (99999999999999999999,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': 2}",
        "{'descr': '<f4', 'fortran_order': 0, 'shape': (2,)}",
        "{'descr': '<f4', 'descr': '<f4', 'fortran_order': False, 'shape': (2,)}",
        "{'descr': '<f4', 'fortran_order': False, 'shape': (2,), 'more': (1,)}",
        "{'descr': __import__('os'), 'fortran_order': False, 'shape': (2,)}",
        "{'descr': [[['a', 'b'], 'fortran_order': False, 'shape': (2,)}"}) {
    EXPECT_THAT(refusal(npy_bytes_with_dict(dict, Bytes(8))).what, HasSubstr("header")) << dict;
  }
}

TEST(NpyHeader, EveryTruncationIsRefused) {
  const Bytes whole = npy_bytes({"<f4", "(2,)"}, Bytes(8));
  ASSERT_TRUE(parse(whole));
  for (std::size_t size = 0; size < whole.size(); ++size)
    EXPECT_EQ(refusal({whole.begin(), whole.begin() + static_cast<std::ptrdiff_t>(size)}).code,
              ErrorCode::data)
        << size;
}

TEST(NpyHeader, MoreBytesThanClaimedAreRefused) {
  EXPECT_THAT(refusal(npy_bytes({"<f4", "(2,)"}, Bytes(9))).what, HasSubstr("more bytes"));
}

TEST(NpyHeader, ShapesBeyondTheFileAreRefusedWithoutOverflow) {
  for (const char* shape :
       {"(3,)", "(4294967296, 4294967296)", "(18446744073709551615,)", "(9223372036854775808, 2)"})
    EXPECT_THAT(refusal(npy_bytes({"<f4", shape}, Bytes(8))).what, HasSubstr("ends inside its values"))
        << shape;
}

TEST(NpyHeader, ALongHeaderIsRefused) {
  EXPECT_THAT(refusal(npy_bytes_with_dict("{" + std::string(70'000, ' ') + "}", {}, 2)).what,
              HasSubstr("has a header of"));
  Bytes bytes = npy_bytes({"<f4", "(2,)", "False", 2}, Bytes(8));
  bytes[11] = 0xFF;  // the highest byte of the header's length
  EXPECT_THAT(refusal(bytes).what, HasSubstr("has a header of"));
}

TEST(NpyHeader, PicklesAndObjectsAreRefusedWithAHint) {
  EXPECT_THAT(refusal({0x80, 4, 0x95, 0}).what, HasSubstr("pickle"));
  const Error error = refusal(npy_bytes({"|O", "(2,)"}, {0x80, 3, ']'}));
  EXPECT_THAT(error.what, HasSubstr("Python objects"));
  EXPECT_THAT(error.hint, HasSubstr("astype"));
}

TEST(NpyHeader, OtherTypesAreRefusedWithAHint) {
  EXPECT_THAT(refusal(npy_bytes({"<U3", "(2,)"}, Bytes(24))).what, HasSubstr("text"));
  EXPECT_THAT(refusal(npy_bytes({"|S3", "(2,)"}, Bytes(6))).what, HasSubstr("text"));
  EXPECT_THAT(refusal(npy_bytes({"<c8", "(2,)"}, Bytes(16))).what, HasSubstr("\"<c8\""));
  EXPECT_THAT(refusal(npy_bytes({"<M8[s]", "(2,)"}, Bytes(16))).what, HasSubstr("\"<M8[s]\""));
  EXPECT_THAT(refusal(npy_bytes({"<f16", "(2,)"}, Bytes(32))).what, HasSubstr("\"<f16\""));
  EXPECT_THAT(refusal(npy_bytes({"", "(2,)"}, Bytes(8))).what, HasSubstr("\"\""));
  const Error error = refusal(npy_bytes_with_dict(
      "{'descr': [('a', '<f4'), (('t]', 'b'), '<i4', (2,))], 'fortran_order': False, 'shape': (2,), }",
      Bytes(8)));
  EXPECT_THAT(error.what, HasSubstr("records"));
}

TEST(NpyHeader, AVersionThatDoesNotExistIsRefused) {
  EXPECT_THAT(refusal(npy_bytes({"<f4", "(2,)", "False", 4}, Bytes(8))).what, HasSubstr("version"));
}

}  // namespace
}  // namespace hansa::learning::kinds
