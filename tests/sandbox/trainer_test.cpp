// hansa-trainer (the real program, in this test's folder) with archives whose code attacks the device. Each attack is one
// error of the trainer in this process, and the next honest training gives the right bits.
#include <algorithm>
#include <csignal>
#include <ctime>
#include <cstdlib>
#include <fstream>
#include <optional>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/trainer/process_trainer.h"
#include "learning/local_trainer.h"
#include "learning/model_archive.h"
#include "tests/data/data_files.h"
#include "tests/learning/archives.h"
#include "tests/learning/attacking_archives.h"
#include "tests/sandbox/no_seccomp.h"

namespace hansa::client {
namespace {

// The body of a training_loss that never returns.
constexpr const char* endless =
    "n = 0\nwhile x.size(0) > 0:\n    n = n + 1\nreturn torch.sum(self.forward(x)) * float(n)";

using ::testing::HasSubstr;
using ::testing::Not;
namespace lt = learning::testing;

struct Outcome {
  learning::TrainingResult result;
  std::vector<float> delta;
};

pid_t only_child() {
  std::ifstream file("/proc/self/task/" + std::to_string(::gettid()) + "/children");
  pid_t child = 0;
  file >> child;
  return child;
}

// Of any thread of this process.
pid_t only_child_of_process() {
  for (const auto& thread : std::filesystem::directory_iterator("/proc/self/task")) {
    std::ifstream file(thread.path() / "children");
    pid_t child = 0;
    if (file >> child) return child;
  }
  return 0;
}

class SandboxTrainer : public ::testing::Test {
 protected:
  SandboxTrainer() {
    data_ = lt::write_data(folder_, {});
    lt::write_archive(lt::TestModel::dropout, honest_);
    config_.data = data_;
    config_.limits.memory_bytes_max = std::uint64_t{512} << 20;
    config_.limits.stall = std::chrono::seconds(60);
  }
  void start() { trainer_ = std::make_unique<ProcessTrainer>(config_, Logger()); }
  static Result<Outcome> train(learning::Trainer& trainer, const std::filesystem::path& archive,
                               std::stop_token stop = {}) {
    // The layouts of all archives of these tests are equal.
    static std::optional<Digest> layout;
    learning::TrainingRequest request;
    request.archive = archive;
    const auto model = learning::describe_archive(archive);
    if (model) layout = model->layout.digest();
    request.layout = layout.value_or(Digest{});
    request.method = sgd_method({2, 6, 0.05, 0, 0, 0});
    request.seed = 11;
    Outcome out;
    out.delta.resize(3 * 16 + 3);
    const std::vector<float> parameters(out.delta.size(), 0.01F);
    HANSA_TRY(out.result, learning::train_on(trainer, request, parameters, out.delta, std::move(stop)));
    return out;
  }
  Result<Outcome> attack(const std::string& training_loss, std::stop_token stop = {}) {
    const auto archive = folder_ / ("hostile-" + std::to_string(++attacks_) + ".pt");
    lt::write_attacking_archive(archive, training_loss);
    if (!trainer_) start();
    return train(*trainer_, archive, std::move(stop));
  }
  // The error of the attack, after which an honest training must succeed.
  Error error_of(const std::string& training_loss) {
    const auto attacked = attack(training_loss);
    expect_honest_training();
    if (attacked) ADD_FAILURE() << "the attack was trained";
    return attacked ? Error{} : attacked.error();
  }
  // The error of a training whose process is ended by this signal.
  Error error_of_signal(int signal) {
    start();
    EXPECT_TRUE(trainer_->available_data({}));
    const pid_t child = only_child();
    const std::jthread killer([child, signal, before = processor_time(child)](const std::stop_token& quit) {
      // It computes only when it has a task.
      if (has_computed(child, before + 0.1, quit)) ::kill(child, signal);
    });
    return error_of(endless);
  }
  static double processor_time(pid_t child) {
    clockid_t clock = 0;
    timespec time{};
    if (::clock_getcpuclockid(child, &clock) != 0 || ::clock_gettime(clock, &time) != 0) return 0.0;
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_nsec) / 1e9;
  }
  // Waits until the child has used that many seconds of processor time. False if quit came first.
  static bool has_computed(pid_t child, double seconds, const std::stop_token& quit) {
    while (!quit.stop_requested() && processor_time(child) < seconds)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return !quit.stop_requested();
  }
  void expect_honest_training() {
    if (!trainer_) start();
    const auto honest = train(*trainer_, honest_);
    ASSERT_TRUE(honest) << honest.error().text();
    learning::LocalTrainerConfig local;
    local.data = data_;
    const auto expected = train(*learning::make_local_trainer(local), honest_);
    ASSERT_TRUE(expected) << expected.error().text();
    EXPECT_EQ(honest->delta, expected->delta);
    EXPECT_EQ(honest->result.metrics, expected->result.metrics);
    EXPECT_EQ(honest->result.examples, expected->result.examples);
  }

  TemporaryFolder folder_;
  std::filesystem::path honest_ = folder_ / "honest.pt";
  learning::DataConfig data_;
  ProcessTrainerConfig config_;
  std::unique_ptr<ProcessTrainer> trainer_;
  int attacks_ = 0;
};

using AdversarySandboxTrainer = SandboxTrainer;

TEST_F(AdversarySandboxTrainer, AFileThatTheModelReadsStaysUnread) {
  const std::string secret = (folder_ / "device.key").string();
  std::ofstream(secret) << "77777777777777777777777777777777";
  const std::string reads = "t = torch.from_file(\"" + secret +
                            "\", False, 32, dtype=0)\nassert x.size(0) < 0, str(t)\n" +
                            "return torch.sum(self.forward(x))";
  const Error error = error_of(reads);
  EXPECT_EQ(error.code, ErrorCode::model) << error.text();
  EXPECT_THAT(error.text(), Not(HasSubstr("55")));  // '7' as a number
  // Without the sandbox this attack succeeds, so that the test tests something.
  config_.sandbox = SandboxMode::unlocked;
  start();
  const auto unlocked = attack(reads);
  ASSERT_FALSE(unlocked);
  EXPECT_EQ(unlocked.error().code, ErrorCode::model) << unlocked.error().text();
}

TEST_F(AdversarySandboxTrainer, AFileThatTheModelWritesDoesNotAppear) {
  const std::string written = (folder_ / "written").string();
  (void)attack("torch.save(x, \"" + written + "\")\nreturn torch.sum(self.forward(x))");
  EXPECT_FALSE(std::filesystem::exists(written));
  const Error mapped = error_of("t = torch.from_file(\"" + written + "\", True, 32, dtype=0)\n" +
                                "return torch.sum(self.forward(x)) + t[0]");
  EXPECT_EQ(mapped.code, ErrorCode::model) << mapped.text();
  EXPECT_FALSE(std::filesystem::exists(written));
}

TEST_F(AdversarySandboxTrainer, AllocationWithoutEndIsAnErrorOfCodeResource) {
  config_.limits.memory_bytes_max = std::uint64_t{1} << 30;
  // The last tensor is used: LibTorch leaves out what is not.
  const Error error = error_of(
      "kept = [x]\nwhile x.size(0) > 0:\n    kept.append(torch.ones([4000000]))\nreturn "
      "torch.sum(self.forward(x)) + torch.sum(kept[-1])");
  EXPECT_EQ(error.code, ErrorCode::resource) << error.text();
  EXPECT_THAT(error.what, HasSubstr("memory"));
}

TEST_F(AdversarySandboxTrainer, AnEndlessLoopIsEndedAndAnErrorOfCodeResource) {
  config_.limits.stall = std::chrono::seconds(1);
  const Error error =
      error_of("n = 0\nwhile x.size(0) > 0:\n    n = n + 1\nreturn torch.sum(self.forward(x)) * float(n)");
  EXPECT_EQ(error.code, ErrorCode::resource) << error.text();
  EXPECT_THAT(error.what, HasSubstr("made no step"));
}

TEST_F(AdversarySandboxTrainer, ATrainingThatIgnoresStopIsEnded) {
  config_.limits.stop_grace = std::chrono::milliseconds(100);
  start();
  ASSERT_TRUE(trainer_->available_data({}));
  const pid_t child = only_child();
  std::stop_source stop;
  // Long after it has read its first examples, where it would notice the stop.
  const std::jthread stopper([&, before = processor_time(child)](const std::stop_token& quit) {
    if (has_computed(child, before + 2, quit)) stop.request_stop();
  });
  const auto attacked = attack(endless, stop.get_token());
  ASSERT_FALSE(attacked);
  EXPECT_EQ(attacked.error().code, ErrorCode::resource);
  EXPECT_EQ(attacked.error().what, "stopped");
  EXPECT_EQ(attacked.error().reason.code, ReasonCode::stopped);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "a process is left";
  expect_honest_training();
}

TEST_F(AdversarySandboxTrainer, ProcessorTimeBeyondItsLimitIsAnErrorOfCodeResource) {
  config_.limits.cpu_s_max = 1;
  // Takes steps, each of which takes long.
  const Error error =
      error_of("n = 0\nwhile n < 2000000000:\n    n = n + 1\nreturn torch.sum(self.forward(x)) * float(n)");
  EXPECT_EQ(error.code, ErrorCode::resource) << error.text();
  EXPECT_THAT(error.what, HasSubstr("processor time"));
  EXPECT_EQ(error.reason.code, ReasonCode::trainer_ended);
}

TEST_F(AdversarySandboxTrainer, AnExceptionWithExamplesIsOneErrorOfLimitedLength) {
  const Error error = error_of("assert x.size(0) < 0, str(x.flatten())\nreturn torch.sum(self.forward(x))");
  EXPECT_EQ(error.code, ErrorCode::model) << error.text();
  EXPECT_LE(error.what.size(), 1'000U);
}

TEST_F(AdversarySandboxTrainer, ACrashOfTheModelsCodeIsAnErrorOfCodeModel) {
  // The view is not checked against the size of the memory behind it.
  const Error error = error_of(
      "far = torch._reshape_alias(x, [1000000000], [1000])\nreturn torch.sum(far) + "
      "torch.sum(self.forward(x))");
  EXPECT_EQ(error.code, ErrorCode::model) << error.text();
  const Error crashed = error_of_signal(SIGSEGV);
  EXPECT_EQ(crashed.code, ErrorCode::model) << crashed.text();
  EXPECT_THAT(crashed.what, HasSubstr("crashed"));
  EXPECT_EQ(crashed.reason.code, ReasonCode::trainer_ended);
}

TEST_F(AdversarySandboxTrainer, OutputWithoutEndFillsNoLog) {
  expect_honest_training();
#if !defined(__SANITIZE_ADDRESS__) && !defined(__SANITIZE_THREAD__)
  for (const char* output : {"/fd/1", "/fd/2"}) {
    std::error_code error;
    const auto file = std::filesystem::read_symlink("/proc/" + std::to_string(only_child()) + output, error);
    if (!error) {
      EXPECT_EQ(file, "/dev/null");  // only root may look
    }
  }
#endif
}

TEST_F(AdversarySandboxTrainer, AKilledTrainerCostsOneTraining) {
  const Error killed = error_of_signal(SIGKILL);
  EXPECT_EQ(killed.code, ErrorCode::resource) << killed.text();
  const Error forbidden = error_of_signal(SIGSYS);
  EXPECT_EQ(forbidden.code, ErrorCode::model) << forbidden.text();
  EXPECT_THAT(forbidden.what, HasSubstr("sandbox forbids"));
  // One that is killed between trainings costs none.
  const pid_t child = only_child();
  ASSERT_EQ(::kill(child, SIGKILL), 0);
  siginfo_t ended{};
  ASSERT_EQ(::waitid(P_PID, static_cast<id_t>(child), &ended, WEXITED | WNOWAIT), 0);
  expect_honest_training();
}

TEST_F(AdversarySandboxTrainer, WithoutSeccompNothingIsTrainedUnlessTheSandboxIsOff) {
  const pid_t process = ::fork();
  if (process == 0) {
    testing::refuse({"seccomp"}, EINVAL);
    start();
    const auto refused = train(*trainer_, honest_);
    const bool right = !refused && refused.error().code == ErrorCode::resource &&
                       refused.error().text().find("--no-sandbox") != std::string::npos &&
                       !trainer_->available_data({});
    config_.sandbox = SandboxMode::unlocked;
    start();
    ::_exit(right && train(*trainer_, honest_) ? 0 : 1);
  }
  int status = 0;
  ::waitpid(process, &status, 0);
  EXPECT_TRUE(WIFEXITED(status) && WEXITSTATUS(status) == 0);
}

TEST_F(SandboxTrainer, HonestTrainingsGiveTheBitsOfATrainerInTheProcess) {
  expect_honest_training();
  expect_honest_training();
  const pid_t child = only_child();
  expect_honest_training();
  EXPECT_EQ(only_child(), child) << "each training starts a process";
  trainer_->release();
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the process outlives release()";
  expect_honest_training();
  const auto available = trainer_->available_data({});
  ASSERT_TRUE(available);
  EXPECT_EQ(available->examples, 20U);
}

TEST_F(SandboxTrainer, ExamplesOfASupplyInThisProcessAreTrainedOn) {
  config_.data = learning::supply_data(data_);
  expect_honest_training();
  expect_honest_training();
}

TEST_F(SandboxTrainer, UnusableDataIsTheDatasError) {
  data_.labels = folder_ / "none";
  config_.data = data_;
  start();
  const auto available = trainer_->available_data({});
  ASSERT_FALSE(available);
  EXPECT_EQ(available.error().code, ErrorCode::data) << available.error().text();
  const auto trained = train(*trainer_, honest_);
  ASSERT_FALSE(trained);
  EXPECT_EQ(trained.error().code, ErrorCode::data);
  EXPECT_FALSE(trainer_->reported_data()->available());
}

// A plugin that is a pipe to which nobody writes: loading it never returns.
TEST_F(SandboxTrainer, DataThatNeverOpensIsAnErrorAfterTheStallOrStopped) {
  learning::DataConfig pipe;
  pipe.kind = "camera";
  pipe.plugin = folder_ / "pipe";
  pipe.file = folder_ / "data";
  ASSERT_EQ(::mkfifo(pipe.plugin.c_str(), 0600), 0);
  config_.data = pipe;
  config_.limits.stall = std::chrono::seconds(1);
  start();
  const auto stalled = trainer_->available_data({});
  ASSERT_FALSE(stalled);
  EXPECT_THAT(stalled.error().text(),
              HasSubstr("data: cannot be opened: nothing was read for 1 s; name a file"));
  EXPECT_EQ(stalled.error().code, ErrorCode::data);
  EXPECT_FALSE(trainer_->reported_data()->available());

  config_.limits.stall = std::chrono::hours(1);
  start();
  std::stop_source stop;
  const std::jthread stopper([&stop](const std::stop_token& quit) {
    while (!quit.stop_requested() && only_child_of_process() == 0) std::this_thread::yield();
    stop.request_stop();
  });
  const auto stopped = trainer_->available_data(stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().reason.code, ReasonCode::stopped);
  EXPECT_EQ(::waitpid(-1, nullptr, WNOHANG), -1) << "the process is gone";

  const auto train_stopped = train(*trainer_, honest_, stop.get_token());
  ASSERT_FALSE(train_stopped);
  EXPECT_EQ(train_stopped.error().reason.code, ReasonCode::stopped);
}

TEST_F(SandboxTrainer, AStoppedTrainingKeepsItsProcess) {
  start();
  expect_honest_training();
  const pid_t child = only_child();
  std::stop_source stop;
  stop.request_stop();
  const auto stopped = train(*trainer_, honest_, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().what, "stopped");
  expect_honest_training();
  EXPECT_EQ(only_child(), child);
}

}  // namespace
}  // namespace hansa::client
