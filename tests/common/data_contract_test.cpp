// The comparison of a client's data with the federation's data contract.
#include "common/data_contract.h"

#include <limits>

#include <gtest/gtest.h>

namespace hansa {
namespace {

DataDescription hospital() {
  DataDescription out;
  out.inputs = {{"x", ElementType::float32, {3}}};
  out.class_count = 2;
  out.columns = {"age", "bmi", "pressure"};
  out.label = "outcome";
  out.classes = {"home", "ward"};
  out.ranges = {{18, 97}, {15.5, 44}, {80, 190}};
  return out;
}

Error difference(const DataDescription& data) {
  const auto found = find_difference(contract_of(hospital()), data);
  EXPECT_TRUE(found.has_value());
  return found.value_or(Error{});
}

bool contains(const std::string& text, const std::string& part) {
  return text.find(part) != std::string::npos;
}

TEST(DataContract, DataFitsTheContractThatWasMadeFromIt) {
  EXPECT_FALSE(find_difference(contract_of(hospital()), hospital()));
  EXPECT_TRUE(find_out_of_range(contract_of(hospital()), hospital()).empty());
  EXPECT_FALSE(find_difference({}, hospital())) << "what is not in the contract is not compared";
}

TEST(DataContract, ColumnsInAnotherOrderAreNamedWithTheSettingThatOrdersThem) {
  DataDescription data = hospital();
  data.columns = {"pressure", "bmi", "age"};
  const Error found = difference(data);
  EXPECT_EQ(found.reason, (Reason{ReasonCode::contract_columns, {{Quantity::column, 1}}}));
  EXPECT_TRUE(
      contains(found.what, "column 1 is \"age\" in the contract, but \"pressure\" in this client's data"))
      << found.what;
  EXPECT_TRUE(contains(found.hint, "set data.columns = [\"age\", \"bmi\", \"pressure\"] in client.toml"))
      << found.hint;
  EXPECT_TRUE(contains(found.hint, "another order")) << found.hint;
}

TEST(DataContract, AMissingColumnIsNamed) {
  DataDescription data = hospital();
  data.columns = {"age", "bmi"};
  const Error found = difference(data);
  EXPECT_EQ(found.reason.number(Quantity::column), 3U);
  EXPECT_TRUE(contains(found.hint, "no column \"pressure\"")) << found.hint;
}

TEST(DataContract, AdditionalColumnsAreLeftOutByASetting) {
  DataDescription data = hospital();
  data.columns = {"age", "bmi", "pressure", "room"};
  EXPECT_EQ(difference(data).reason.number(Quantity::column), 4U);
  EXPECT_TRUE(contains(difference(data).hint, "set data.columns = [\"age\", \"bmi\", \"pressure\"]"));
  data.columns = {"id", "age", "bmi", "pressure"};
  EXPECT_EQ(difference(data).reason.number(Quantity::column), 1U);
  EXPECT_TRUE(contains(difference(data).hint, "other columns in addition"));
}

TEST(DataContract, ARenamedColumnHasTheNearestNameAsItsHint) {
  DataDescription data = hospital();
  data.columns[2] = "presure";
  const Error found = difference(data);
  EXPECT_EQ(found.reason.number(Quantity::column), 3U);
  EXPECT_TRUE(contains(found.hint, "did you mean \"presure\"?")) << found.hint;
}

TEST(DataContract, DataWithoutColumnNamesDoesNotFitOneWithNames) {
  DataDescription data = hospital();
  data.columns.clear();
  EXPECT_EQ(difference(data).reason, (Reason{ReasonCode::contract_columns, {}}));
}

TEST(DataContract, LabelTargetClassesAndShapeAreCompared) {
  DataDescription data = hospital();
  data.label = "died";
  EXPECT_EQ(difference(data).reason.code, ReasonCode::contract_label);
  EXPECT_EQ(difference(data).hint, "set data.label = \"outcome\" in client.toml");

  data = hospital();
  data.target = TargetType::real;
  EXPECT_EQ(difference(data).reason.code, ReasonCode::contract_target);

  data = hospital();
  data.classes = {"ward", "home"};
  EXPECT_EQ(difference(data).reason, (Reason{ReasonCode::contract_classes, {}}));
  EXPECT_TRUE(contains(difference(data).hint, "data.classes = [\"home\", \"ward\"]"))
      << difference(data).hint;
  EXPECT_TRUE(contains(difference(data).hint, "another order"));
  data.classes.clear();
  EXPECT_EQ(difference(data).reason.code, ReasonCode::contract_classes) << "integers are not these classes";

  data = hospital();
  data.inputs[0].shape = {3, 8};
  EXPECT_EQ(difference(data).reason.code, ReasonCode::contract_shape);
  EXPECT_TRUE(contains(difference(data).what, "[3] in the contract, but [3, 8]"));
}

TEST(DataContract, TheReasonHasNoNameAndTheTextIsPrintable) {
  DataDescription data = hospital();
  data.columns[0] = "age\n\x1b[2Jsecret";
  const Error found = difference(data);
  EXPECT_EQ(found.reason.numbers.size(), 1U);
  for (const std::string& text : {found.what, found.hint})
    for (const char c : text) EXPECT_GE(static_cast<unsigned char>(c), 0x20) << text;
}

TEST(DataContract, ValuesOutsideOfTheRangesAreFoundByColumn) {
  DataContract contract = contract_of(hospital());
  contract.units = {"years", "kg/m2", "mmHg"};
  DataDescription data = hospital();
  data.ranges[1] = {1.5, 44};
  data.ranges[2].most = 25'000;
  const auto found = find_out_of_range(contract, data);
  ASSERT_EQ(found.size(), 2U);
  EXPECT_EQ(found[0].column, 1U);
  EXPECT_TRUE(contains(found[1].text, "\"pressure\" has values from 80 to 25000")) << found[1].text;
  EXPECT_TRUE(contains(found[1].text, "at most 190 mmHg")) << found[1].text;
  data.ranges.clear();
  EXPECT_TRUE(find_out_of_range(contract, data).empty());
}

TEST(DataContract, RangesArePrintedShortAndStillAllowTheValuesTheyWereMadeFrom) {
  DataDescription data = hospital();
  data.ranges[0] = {double{0.1F}, double{0.7F}};
  DataContract contract = contract_of(data);
  contract.maximum[2] = std::numeric_limits<double>::max();
  const std::string text = toml_of(contract);
  EXPECT_TRUE(contains(text, "minimum = [0.1, 15.5, 80]")) << text;
  EXPECT_TRUE(contains(text, "maximum = [0.7, 44, inf]")) << text;
  contract.minimum[0] = 0.1;
  contract.maximum[0] = 0.7;
  EXPECT_TRUE(find_out_of_range(contract, data).empty());
}

TEST(DataContract, WhatAnOperatorWroteIsChecked) {
  const auto refused = [](const DataContract& contract) {
    const auto checked = check(contract);
    return checked ? std::string() : checked.error().text();
  };
  const DataContract good = contract_of(hospital());
  EXPECT_EQ(refused(good), "");
  EXPECT_TRUE(contains(refused({}), "data_contract.columns: is missing")) << refused({});
  DataContract bad = good;
  bad.units = {"years"};
  EXPECT_TRUE(contains(refused(bad), "data_contract.units: has 1 entries, but there are 3 columns"))
      << refused(bad);
  bad = good;
  bad.maximum.pop_back();
  EXPECT_TRUE(contains(refused(bad), "data_contract.maximum: has 2 entries"));
  bad = good;
  bad.minimum[0] = 98;
  EXPECT_TRUE(contains(refused(bad), "is above maximum for column \"age\""));
  bad = good;
  bad.columns[1] = "age";
  EXPECT_TRUE(contains(refused(bad), "names \"age\" twice"));
  bad = good;
  bad.label = "bmi";
  EXPECT_TRUE(contains(refused(bad), "is also one of the columns"));
  bad = good;
  bad.shape = {4};
  EXPECT_TRUE(contains(refused(bad), "begins with 4, but there are 3 columns"));
  bad = good;
  bad.target = TargetType::real;
  EXPECT_TRUE(contains(refused(bad), "data_contract.classes"));
  bad = {};
  bad.columns.assign(contract_columns_max, "");
  for (std::size_t i = 0; i < bad.columns.size(); ++i)
    bad.columns[i] = std::string(60, 'x') + std::to_string(i);
  EXPECT_TRUE(contains(refused(bad), "more than 48 KiB"));
}

TEST(DataContract, OnlyTheRangesMayChangeWithinARun) {
  const DataContract one = contract_of(hospital());
  DataContract other = one;
  other.minimum[0] = 0;
  EXPECT_EQ(identity_of(one), identity_of(other));
  other.units = {"a", "b", "c"};
  EXPECT_NE(identity_of(one), identity_of(other));
}

TEST(DataContract, NamesBeyondTheLimitsAreNotPassedOn) {
  DataDescription data = hospital();
  data.columns.assign(described_columns_max + 1, "x");
  limit_names(data);
  EXPECT_TRUE(data.columns.empty());
  EXPECT_EQ(data.inputs, hospital().inputs);
}

}  // namespace
}  // namespace hansa
