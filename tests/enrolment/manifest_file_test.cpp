// ARCHIVE.manifest: its content and its errors.
#include "protocols/enrolment/manifest_file.h"

#include <gtest/gtest.h>

#include "common/files.h"
#include "tests/temporary_folder.h"

namespace hansa::enrolment {
namespace {

using secure_aggregation::SigningKey;

class ManifestFile : public ::testing::TestWithParam<std::vector<std::string>> {};

TEST_P(ManifestFile, IsReadBackAndItsSignatureHolds) {
  const TemporaryFolder folder;
  const auto root = SigningKey::generate().value();
  const auto manifest =
      secure_aggregation::sign({"pumps", sha256("archive"), sha256("layout"), {"wear", "3", GetParam(), {}}},
                               root)
          .value();
  const auto file = manifest_path(folder.path() / "model.pt");
  EXPECT_EQ(file.filename(), "model.pt.manifest");
  ASSERT_TRUE(write_manifest(manifest, file));
  const auto back = read_manifest(file);
  ASSERT_TRUE(back) << back.error().text();
  EXPECT_EQ(back->federation, "pumps");
  EXPECT_EQ(back->archive, manifest.archive);
  EXPECT_EQ(back->layout, manifest.layout);
  EXPECT_EQ(back->approval, manifest.approval);
  EXPECT_TRUE(secure_aggregation::check(*back, root.public_key()));
}

INSTANTIATE_TEST_SUITE_P(Metrics, ManifestFile,
                         ::testing::Values(std::vector<std::string>{},
                                           std::vector<std::string>{"auc", "f1"}));

// What an operator, or the owner of the aggregator, may change in the file.
TEST(AdversaryModelManifest, EveryChangeOfTheFileIsNoticed) {
  const auto root = SigningKey::generate().value();
  const auto manifest =
      secure_aggregation::sign(
          {"pumps", sha256("archive"), sha256("layout"), {"wear", "3", {"auc", "f1"}, {}}}, root)
          .value();
  const std::string text = text_of(manifest);
  std::size_t values = 0;
  for (std::size_t i = text.find("[model]") + 8; i < text.size(); ++i) {
    if (text[i] == ' ' || text[i] == '\n') continue;
    std::string changed = text;
    changed[i] = changed[i] == '1' ? '2' : '1';
    const auto read = parse_manifest(changed, "model.pt.manifest");
    if (!read) continue;
    ++values;
    EXPECT_FALSE(secure_aggregation::check(*read, root.public_key())) << changed;
  }
  EXPECT_GT(values, 250U);
}

TEST(AdversaryModelManifest, ATextThatIsNoManifestIsAnErrorWithItsLine) {
  for (const char* text : {"", "[model]\n", "not toml", "[model]\nfederation = \"a\"\nfurther = 1\n",
                           "[model]\nfederation = \"../../x\"\n"}) {
    const auto read = parse_manifest(text, "model.pt.manifest");
    ASSERT_FALSE(read) << text;
    EXPECT_EQ(read.error().code, ErrorCode::usage);
    EXPECT_NE(read.error().text().find("model.pt.manifest"), std::string::npos) << read.error().text();
  }
}

TEST(AdversaryModelManifest, NamesOfMetricsAreBounded) {
  const auto root = SigningKey::generate().value();
  const auto sign_with = [&](std::vector<std::string> metrics) {
    return secure_aggregation::sign(
        {"pumps", sha256("archive"), sha256("layout"), {"wear", "3", std::move(metrics), {}}}, root);
  };
  EXPECT_TRUE(sign_with({"auc", "F1_score-2"}));
  EXPECT_FALSE(sign_with({"a", "b", "a"}));
  EXPECT_FALSE(sign_with({"loss"}));
  EXPECT_FALSE(sign_with({"two words"}));
  EXPECT_FALSE(sign_with({""}));
  EXPECT_FALSE(sign_with({std::string(33, 'a')}));
  EXPECT_FALSE(sign_with({"1", "2", "3", "4", "5", "6", "7", "8", "9"}));
  auto more = sign_with({"auc"}).value();
  more.approval.metrics.emplace_back("age");
  EXPECT_FALSE(secure_aggregation::check(more, root.public_key()));
}

}  // namespace
}  // namespace hansa::enrolment
