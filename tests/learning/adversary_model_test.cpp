// Attacks by the author of a model archive, or by an aggregator that sends one: code that reads or writes files, prints,
// takes what is not its own, or raises what it has read. Each is refused before any of the archive's code is executed.
#include <fstream>

#include <gmock/gmock.h>

#include "common/files.h"
#include "learning/internal/allowed_operators.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "learning/model_check.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"
#include "tests/learning/hostile_archives.h"

namespace hansa::learning {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

class AdversaryModelCode : public ::testing::Test {
 protected:
  // What a client's trainer and `hansa model check` answer to an archive with these methods.
  std::string refusal(const std::string& methods) {
    testing::write_archive_with(methods, archive_);
    return refusal();
  }
  std::string refusal() {
    const auto checked = check_model(archive_, client_, 8);
    const auto described = describe_archive(archive_);
    if (!checked && !described) {
      EXPECT_EQ(checked.error().code, ErrorCode::model);
      EXPECT_EQ(checked.error().text(), described.error().text())
          << "refused when it is opened, before it runs";
      EXPECT_EQ(checked.error().text().find('\n'), std::string::npos);
      EXPECT_FALSE(checked.error().hint.empty());
    }
    return checked ? "is trained" : checked.error().text();
  }

  testing::TemporaryFolder folder_;
  std::filesystem::path archive_ = folder_ / "model.pt";
  LocalTrainerConfig client_{.data = testing::write_data(folder_, {})};
};

// The attack of the review: the text of the exception went back to the aggregator.
TEST_F(AdversaryModelCode, ALossThatReadsTheDevicesKeyAndRaisesItIsRefused) {
  const auto key = folder_ / "device.key";
  const std::string secret = "JTKVSB%%)wK0E.X)V>+}o?pNmC{O&4W4b!Ni{Lh6";
  std::ofstream(key) << secret;
  const std::string text =
      refusal("def training_loss(self, x, y):\n    secret = torch.from_file(\"" + key.string() +
              "\", False, 40, dtype=0)\n    assert False, str(secret)\n    return x.sum()\n");
  EXPECT_THAT(text, AllOf(HasSubstr("aten::from_file, which reads a file"), HasSubstr("from_file(\""),
                          Not(HasSubstr("wK0E"))));
}

// Values that the aggregator sends would be written behind the buffer's memory.
TEST_F(AdversaryModelCode, ATensorThatIsLargerThanItsMemoryIsRefused) {
  testing::write_archive_with_oversized_buffer(archive_);
  EXPECT_THAT(refusal(), HasSubstr("a tensor that is larger than its memory"));
}

// LibTorch reads attributes by their position: that of an object of another class lies behind its end.
TEST_F(AdversaryModelCode, AnObjectOfAnotherClassThanDeclaredIsRefused) {
  using enum testing::Confused;
  for (const auto place : {attribute, list, list_of_another_type, dictionary, tuple}) {
    testing::write_archive_with_confused_object(place, archive_);
    EXPECT_THAT(refusal(),
                AllOf(HasSubstr("test.Narrow"), HasSubstr("is declared as"), HasSubstr("test.Wide")))
        << static_cast<int>(place);
  }
}

TEST_F(AdversaryModelCode, ATupleWithFewerElementsThanDeclaredIsRefused) {
  testing::write_archive_with_short_tuple(archive_);
  EXPECT_THAT(refusal(), HasSubstr("in attribute held of __torch__.test.Model, which is declared as"));
}

// PyTorch writes unchecked_cast after a test of the type. An attacker can leave the test out.
TEST_F(AdversaryModelCode, ACastToAnotherClassWithoutATestFailsWhenItRuns) {
  testing::write_archive_with_submodule("def unused(self, x):\n    return x\n", archive_);
  const std::string record = "code/__torch__/test.py";
  std::string code = testing::record_of(archive_, record);
  code +=
      "class Wide(Module):\n  __parameters__ = []\n  __buffers__ = []\n  first : Tensor\n  second : Tensor\n"
      "  third : Tensor\n  fourth : Tensor\n";
  const std::string returned = "return torch.linear(_0, ";
  const std::size_t at = code.find(returned);
  ASSERT_NE(at, std::string::npos) << code;
  code.replace(at, returned.size(),
               "wide = unchecked_cast(__torch__.test.Wide, self.inner)\n"
               "    return torch.linear(torch.add(_0, wide.fourth), ");
  const auto changed = folder_ / "changed.pt";
  testing::write_with_record(archive_, record, code, changed);
  archive_ = changed;
  EXPECT_THAT(refusal(), HasSubstr("casts a value to a type that the value does not have"));
}

TEST_F(AdversaryModelCode, ACastBehindATestOfTheTypeIsAllowed) {
  testing::write_archive_with(
      "def first(self, x: Union[Tensor, List[Tensor]]) -> Tensor:\n    if isinstance(x, torch.Tensor):\n"
      "        return x\n    else:\n        return x[0]\n"
      "def training_loss(self, x, y):\n    x = torch.flatten(self.first([self.first(x)]), 1)\n"
      "    return torch.cross_entropy_loss(torch.linear(x, self.weight, self.bias), y)\n",
      archive_);
  EXPECT_EQ(refusal(), "is trained");
}

TEST_F(AdversaryModelCode, AModelThatWritesAFileIsRefused) {
  const auto stolen = folder_ / "stolen";
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    torch.save(x, \"" + stolen.string() +
                      "\")\n    return x.sum()\n"),
              HasSubstr("aten::save, which writes a file"));
  EXPECT_FALSE(std::filesystem::exists(stolen));
}

TEST_F(AdversaryModelCode, AModelThatPrintsIsRefused) {
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    print(x)\n    return x.sum()\n"),
              HasSubstr("prim::Print, which prints"));
}

// An update would carry what the process freed last: its keys, other clients' shares, its data.
TEST_F(AdversaryModelCode, AModelThatReturnsMemoryThatWasNotInitialisedIsRefused) {
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    return torch.empty([1000]).sum()\n"),
              HasSubstr("aten::empty, which returns memory that was not initialised"));
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    return x.new_empty([1000]).sum()\n"),
              HasSubstr("aten::new_empty"));
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    return x.resize_([100000]).sum()\n"),
              HasSubstr("aten::resize_"));
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    return torch.as_strided(x, [4], [1], 8).sum()\n"),
              HasSubstr("aten::as_strided"));
}

TEST_F(AdversaryModelCode, AModelThatChangesTheTasksSeedOrStartsThreadsIsRefused) {
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    torch.manual_seed(3)\n    return x.sum()\n"),
              HasSubstr("aten::manual_seed"));
}

TEST_F(AdversaryModelCode, RaisingTrainingExamplesIsRefused) {
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    assert False, str(x)\n    return x.sum()\n"),
              HasSubstr("raises an exception whose text is computed from a tensor"));
  EXPECT_THAT(refusal("def training_loss(self, x, y):\n    assert False, \"{}\".format(x[0, 0].item())\n"
                      "    return x.sum()\n"),
              HasSubstr("raises an exception whose text is computed from a tensor"));
}

// PyTorch's own layers raise texts with sizes. An attacker can write anything into a size or a list.
TEST_F(AdversaryModelCode, AComputedTextThatIsNotRefusedLosesWhatWasComputed) {
  const std::string text = refusal(
      "def training_loss(self, x, y):\n    n = x.size(0) * 1000 + 234\n"
      "    assert False, \"cannot train on {} examples\".format(n)\n    return x.sum()\n");
  EXPECT_THAT(text, AllOf(HasSubstr("cannot train on {} examples"), Not(HasSubstr("8234"))));
  const std::string hidden = refusal(
      "def training_loss(self, x, y):\n    words = [\"a\"]\n    words.append(str(x.sum().item()))\n"
      "    assert False, \"{}\".format(words)\n    return x.sum()\n");
  EXPECT_THAT(hidden, AllOf(HasSubstr("{}"), Not(HasSubstr("'a'"))));
}

TEST_F(AdversaryModelCode, CodeThatIsNotCalledIsCheckedToo) {
  EXPECT_THAT(refusal("def unused(self, x):\n    if x.size(0) > 5:\n        for i in range(3):\n"
                      "            print(i)\n    return x\n"),
              HasSubstr("prim::Print"));
  testing::write_archive_with_submodule("def unused(self, x):\n    print(x)\n    return x\n", archive_);
  EXPECT_THAT(refusal(), HasSubstr("prim::Print"));
}

// torch::jit::load executes __setstate__: code would run before its check.
TEST_F(AdversaryModelCode, AClassWithSetstateIsRefusedBeforeItRuns) {
  testing::write_archive_with_submodule(
      "def __getstate__(self):\n    return (self.weight, self.training)\n"
      "def __setstate__(self, state: Tuple[Tensor, bool]):\n    self.weight = state[0]\n"
      "    self.training = state[1]\n    assert False, \"executed\"\n",
      archive_);
  EXPECT_THAT(refusal(), AllOf(HasSubstr("__setstate__"), Not(HasSubstr("executed"))));
}

TEST_F(AdversaryModelCode, AnObjectOfACompiledClassIsRefusedBeforeItsCodeRuns) {
  testing::write_archive_with_compiled_class(archive_);
  const int before = testing::compiled_class_loads();
  EXPECT_THAT(refusal(),
              AllOf(HasSubstr("torch.classes.hansa_test.Evil"), HasSubstr("a class of torch.classes")));
  EXPECT_EQ(testing::compiled_class_loads(), before);
}

// What Python does not write, an attacker can: the code in the archive is text.
TEST_F(AdversaryModelCode, CodeThatCreatesAnObjectOfACompiledClassIsRefused) {
  testing::write_archive_with("", archive_);
  const std::string record = "code/__torch__/test.py";
  std::string code = testing::record_of(archive_, record);
  code +=
      "  def unused(self: __torch__.test.Model) -> __torch__.torch.classes.hansa_test.Evil:\n"
      "    evil = __torch__.torch.classes.hansa_test.Evil.__new__(__torch__.torch.classes.hansa_test.Evil)\n"
      "    return evil\n";
  const auto changed = folder_ / "changed.pt";
  testing::write_with_record(archive_, record, code, changed);
  archive_ = changed;
  EXPECT_THAT(refusal(), HasSubstr("a class of torch.classes"));
}

TEST_F(AdversaryModelCode, AnOperatorOfAnotherLibraryIsRefused) {
  testing::write_archive_with("", archive_);
  const std::string record = "code/__torch__/test.py";
  const auto changed = folder_ / "changed.pt";
  // The result is used: LibTorch leaves out what is not, so that it never runs.
  const std::pair<std::string, std::string> calls[] = {
      {"Any", "ops.prepacked.unpack_prepacked_sizes_linear(x)"},
      {"Tensor", "ops.quantized.relu6(x)"},
      {"Tensor", "ops.evil.run(x)"},
      {"Tensor", "torch.wait(fork(self.forward, x))"}};
  for (const auto& [type, call] : calls) {
    std::string code = testing::record_of(archive_, record);
    code += "  def unused(self: __torch__.test.Model,\n    x: Tensor) -> " + type + ":\n    return " + call +
            "\n";
    testing::write_with_record(archive_, record, code, changed);
    const auto opened = describe_archive(changed);
    EXPECT_FALSE(opened) << call;
  }
}

// The format of PyTorch 1.3 takes its code from other records, which this check would not see.
TEST_F(AdversaryModelCode, AnArchiveOfTheOldFormatIsRefused) {
  testing::write_archive_with("", archive_);
  const auto changed = folder_ / "changed.pt";
  testing::write_with_record(archive_, "model.json", "{}", changed);
  archive_ = changed;
  EXPECT_THAT(refusal(), HasSubstr("has a format that is not supported"));
}

TEST_F(AdversaryModelCode, DamagedSourcePositionsAreAnErrorAndNotACrash) {
  testing::write_archive_with("", archive_);
  const std::string record = "code/__torch__/test.py.debug_pkl";
  const std::string positions = testing::record_of(archive_, record);
  const auto changed = folder_ / "changed.pt";
  for (std::size_t i = 2; i < positions.size(); i += 7) {
    std::string damaged = positions;
    damaged[i] = static_cast<char>(damaged[i] ^ 0x15);
    testing::write_with_record(archive_, record, damaged, changed);
    const auto opened = describe_archive(changed);
    if (!opened) {
      EXPECT_EQ(opened.error().code, ErrorCode::model);
    }
  }
}

// The list is positive: what nobody thought of is not on it.
TEST_F(AdversaryModelCode, OperatorsOutsideOfTheListAreNotAllowed) {
  for (const char* kind : {"aten::from_file",
                           "aten::save",
                           "aten::load",
                           "aten::set_",
                           "aten::resize_",
                           "aten::as_strided_",
                           "aten::empty_like",
                           "aten::empty_strided",
                           "aten::new_empty",
                           "aten::set_num_threads",
                           "aten::seed",
                           "aten::wait",
                           "aten::record_stream",
                           "aten::_cuda_getCurrentRawStream",
                           "aten::__",
                           "aten::",
                           "aten::_",
                           "prim::Print",
                           "prim::fork",
                           "prim::rpc_async",
                           "prim::PythonOp",
                           "prim::TimePoint",
                           "prim::add",
                           "quantized::linear",
                           "prepacked::conv2d_clamp_run",
                           "evil::run",
                           "",
                           "aten",
                           "conv2d"})
    EXPECT_FALSE(is_allowed_operator(kind)) << kind;
  for (const char* kind : {"aten::conv2d", "aten::relu_", "aten::add_", "aten::__getitem__", "prim::If"})
    EXPECT_TRUE(is_allowed_operator(kind)) << kind;
}

TEST_F(AdversaryModelCode, EveryBuiltInModelPasses) {
  for (const BuiltInModel& model : built_in_models()) {
    std::filesystem::remove(archive_);
    ASSERT_TRUE(create_built_in(model.name, 1, archive_));
    const auto opened = describe_archive(archive_);
    EXPECT_TRUE(opened) << model.name << ": " << opened.error().text();
  }
}

}  // namespace
}  // namespace hansa::learning
