#include "learning/data/kinds/jsonl/object_reader.h"

#include <gmock/gmock.h>

namespace hansa::learning::kinds {
namespace {

using Form = JsonValue::Form;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

const std::vector<std::string> names{"a", "b"};

JsonValue value_of(const std::string& json) {
  ObjectReader reader(names);
  const auto read = reader.read("{\"z\": [{\"a\": 1}], \"a\": " + json + "}");
  if (!read) throw std::runtime_error(read.error().problem.what);
  return reader.values()[0];
}
// "a: WHAT", without a column "WHAT".
std::string refusal(const std::string& text, OtherKeys other_keys = OtherKeys::passed) {
  ObjectReader reader(names, other_keys);
  const auto read = reader.read(text);
  if (read) return "was read";
  EXPECT_FALSE(read.error().problem.hint.empty());
  return (read.error().column ? names[*read.error().column] + ": " : "") + read.error().problem.what;
}

TEST(ObjectReader, ScalarsAreReadWithTheirText) {
  EXPECT_EQ(value_of("-2.5e1").number, -25);
  EXPECT_EQ(value_of("-2.5e1").text, "-2.5e1");
  EXPECT_EQ(value_of("7").text, "7");
  EXPECT_EQ(value_of("true").form, Form::boolean);
  EXPECT_EQ(value_of("true").number, 1);
  EXPECT_EQ(value_of("null").form, Form::null);
  EXPECT_EQ(value_of("\"\\u00e9\"").text, "\xC3\xA9");
}

TEST(ObjectReader, ArraysAreReadWithTheirShape) {
  const JsonValue value = value_of("[[1, 2, 3], [4, 5, 6]]");
  EXPECT_EQ(value.form, Form::array);
  EXPECT_THAT(value.shape, ElementsAre(2, 3));
  EXPECT_THAT(value.reals, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(value.integers, ElementsAre(1, 2, 3, 4, 5, 6));
  EXPECT_THAT(value_of("[[[1]]]").shape, ElementsAre(1, 1, 1));
  EXPECT_THAT(value_of("[true, false]").integers, ElementsAre(1, 0));
}

TEST(ObjectReader, LargeIntegersAreExact) {
  EXPECT_THAT(value_of("[9223372036854775807, -9223372036854775808]").integers,
              ElementsAre(INT64_MAX, INT64_MIN));
  EXPECT_THAT(value_of("[9223372036854775808]").integers, IsEmpty()) << "beyond int64";
  EXPECT_THAT(value_of("[1.0]").integers, IsEmpty()) << "written as a float";
}

TEST(ObjectReader, AnArrayMustBeRectangular) {
  for (const char* array :
       {"[[1, 2], [3]]", "[1, [2]]", "[[1], 2]", "[[1], [[2]]]", "[[[1]], [2]]", "[[[1], [2]], [[3]]]"})
    EXPECT_EQ(refusal(std::string("{\"b\": ") + array + "}"),
              "b: is an array whose parts have different shapes")
        << array;
  for (const char* array : {"[]", "[[]]", "[[1], []]"})
    EXPECT_EQ(refusal(std::string("{\"b\": ") + array + "}"), "b: is an array without a value") << array;
}

TEST(ObjectReader, WhatNoInputTakesIsRefused) {
  EXPECT_EQ(refusal("{\"a\": {\"c\": 1}}"), "a: is an object, which no input takes");
  EXPECT_EQ(refusal("{\"a\": [{}]}"), "a: is an object, which no input takes");
  EXPECT_EQ(refusal("{\"a\": [\"text\"]}"), "a: is an array with a text in it");
  EXPECT_EQ(refusal("{\"a\": [null]}"), "a: is an array with null in it");
  EXPECT_EQ(refusal("{\"a\": 1, \"a\": 2}"), "a: is there twice");
  EXPECT_EQ(refusal("{\"a\": [[[[[[[[[1]]]]]]]]]}"), "a: is an array of more than 8 dimensions");
  EXPECT_EQ(refusal("{\"a\": [[[[[[[[1]]]]]]]]}"), "was read");
}

TEST(ObjectReader, OtherKeysArePassedOrRefused) {
  EXPECT_EQ(refusal("{\"c\": {\"d\": [[], 1]}, \"a\": 1, \"c\": 2}"), "was read");
  EXPECT_THAT(refusal("{\"a\": 1, \"c\": 2}", OtherKeys::refused), HasSubstr("has the column \"c\""));
}

TEST(ObjectReader, OnlyAnObjectIsRead) {
  for (const char* text : {"1", "\"a\"", "null", "true", "1.5", "-1", "[1]"})
    EXPECT_EQ(refusal(text), "is not a JSON object") << text;
  for (const char* text : {"1", "\"a\"", "null", "true", "1.5", "-1", "[1]"})
    EXPECT_EQ(keys_of(text).error().problem.what, "is not a JSON object") << text;
  for (const char* text :
       {"", "{", "{}{}", "{\"a\": 1,}", "{'a': 1}", "{\"a\": 01}", "{\"a\": \"\xFF\"}", "{\"a\": 1} x"})
    EXPECT_THAT(refusal(text), HasSubstr("is not JSON from character")) << text;
}

TEST(ObjectReader, NumbersThatAreNoneAreNamed) {
  EXPECT_EQ(refusal("{\"a\": NaN}"), "has NaN or Infinity at character 7");
  EXPECT_EQ(refusal("{\"a\": [1, -Infinity]}"), "has NaN or Infinity at character 12");
  EXPECT_EQ(refusal("{\"a\": 1e999}"), "has a number that is too large");
}

TEST(ObjectReader, NestingIsLimited) {
  const auto nested = [](std::size_t depth) {
    return "{\"z\": " + std::string(depth, '[') + std::string(depth, ']') + "}";
  };
  EXPECT_EQ(refusal(nested(json_nesting_max - 1)), "was read");
  EXPECT_EQ(refusal(nested(json_nesting_max)), "nests arrays and objects more than 64 levels deep");
  EXPECT_EQ(refusal("{\"z\": " + std::string(1'000'000, '[')),
            "nests arrays and objects more than 64 levels deep");
}

TEST(ObjectReader, AReaderKeepsNothingOfTheObjectBefore) {
  ObjectReader reader(names);
  ASSERT_TRUE(reader.read("{\"a\": [[1, 2]], \"b\": 1}"));
  ASSERT_FALSE(reader.read("{\"a\": [1"));
  ASSERT_TRUE(reader.read("{\"a\": [3]}"));
  EXPECT_THAT(reader.values()[0].shape, ElementsAre(1));
  EXPECT_THAT(reader.values()[0].integers, ElementsAre(3));
  EXPECT_EQ(reader.values()[1].form, Form::absent);
}

TEST(ObjectReader, KeysAreThoseOfTheOuterObjectInTheirOrder) {
  EXPECT_THAT(*keys_of("{\"z\": {\"k\": 1}, \"a\": [1, {\"m\": 2}], \"b\": null}"),
              ElementsAre("z", "a", "b"));
}

}  // namespace
}  // namespace hansa::learning::kinds
