// The lists of the kinds of data: which there are, who opens them, which keys they read, and how they are reported.
#include "learning/data/kinds/kinds.h"

#include <algorithm>

#include <gmock/gmock.h>

#include "client/agent/reporting.h"
#include "learning/data/data_settings.h"
#include "protocols/messages/report.h"

namespace hansa::learning {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

constexpr std::array tables{
    config::Table{"data", config::Presence::required, "The examples.", data_settings}};
constexpr config::Schema schema{"a.toml", "A test's.", tables};

DataConfig config_of(const std::string& kind) {
  DataConfig out;
  out.kind = kind;
  out.file = "/none";
  out.query = "SELECT 1 AS y";
  out.label = "y";
  out.window = 1;
  out.size = 8;
  return out;
}

TEST(DataKinds, AnotherKindIsLeftToTheCaller) {
  EXPECT_FALSE(open_optional_kind(config_of("csv")));
  EXPECT_FALSE(open_optional_kind(config_of("camera")));
}

TEST(DataKinds, EachIsOpenedInOnePlace) {
  for (const std::string& kind : data_kinds()) {
    const bool is_optional = open_optional_kind(config_of(kind)).has_value();
    EXPECT_TRUE(is_built_in_data_kind(kind)) << kind;
    // LibTorch reads "tensors" (learning/data_supply.cpp).
    EXPECT_EQ(is_optional, needs_trainer(kind) && kind != "tensors") << kind;
    if (needs_trainer(kind)) continue;
    const auto opened = open_data_source(config_of(kind));
    ASSERT_FALSE(opened) << kind;
    EXPECT_THAT(opened.error().what, ::testing::Not(HasSubstr("is not a kind of data"))) << kind;
  }
}

TEST(DataKinds, AKindThatWasNotBuiltNamesItsPackages) {
  for (const std::string& kind : data_kinds()) {
    const auto opened = open_optional_kind(config_of(kind));
    if (!opened) continue;
    ASSERT_FALSE(*opened) << kind << ": there is no file /none";
    if (opened->error().location != "data.kind") continue;
    EXPECT_THAT(opened->error().text(), HasSubstr("is not part of this build of Hansa; install lib")) << kind;
  }
}

// A kind that read_data_config() does not know would need no key.
TEST(DataKinds, EachNeedsAKey) {
  for (const std::string& kind : data_kinds()) {
    const auto document = config::Document::parse("[data]\nkind = \"" + kind + "\"\n", "a.toml", schema);
    ASSERT_TRUE(document) << document.error().text();
    const auto config = read_data_config(*document, "data");
    ASSERT_FALSE(config) << kind;
    EXPECT_THAT(config.error().text(), HasSubstr("needs")) << kind;
    EXPECT_THAT(config.error().text(), HasSubstr("\"" + kind + "\"")) << kind;
  }
}

TEST(DataKinds, EachHasANumberAndAName) {
  std::vector<DataKind> numbers;
  for (const std::string& kind : data_kinds()) {
    const DataKind number = client::data_kind_of(kind);
    EXPECT_NE(number, DataKind::other) << kind;
    EXPECT_EQ(std::ranges::find(numbers, number), numbers.end()) << kind;
    numbers.push_back(number);
    const messages::Report report{
        {ReasonCode::data_damaged, {{Quantity::data_kind, static_cast<std::uint64_t>(number)}}}};
    EXPECT_THAT(messages::sentence(report), StartsWith(kind + " data: "));
  }
}

// The table of all keys says which kinds there are.
TEST(DataKinds, EachIsDescribed) {
  const auto setting = std::ranges::find(data_settings, "kind", &config::Setting::key);
  for (const std::string& kind : data_kinds())
    EXPECT_THAT(std::string(setting->meaning), HasSubstr("`" + kind + "`")) << kind;
}

}  // namespace
}  // namespace hansa::learning
