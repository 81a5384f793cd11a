#include "client/trainer/process_trainer.h"

#include <algorithm>
#include <csignal>
#include <ctime>
#include <optional>
#include <utility>

#include <fcntl.h>
#include <malloc.h>
#include <poll.h>
#include <sys/stat.h>

#include "client/trainer/internal/answer.h"
#include "client/trainer/internal/opening.h"
#include "client/trainer/internal/peak_memory.h"
#include "client/trainer/internal/protocol.h"
#include "common/column_statistics.h"
#include "common/process/child.h"
#include "common/process/shared_memory.h"
#include "common/program_files.h"

namespace hansa::client {
namespace {

using internal::Json;
using learning::DataSupply;

constexpr int look_interval_ms = 20;  // at a stop request and at the progress
constexpr std::uint32_t trial_batch = 32;  // examples
constexpr const char* places_operation = "places";

std::string seconds_text(Duration time) {
  return std::to_string(std::chrono::duration_cast<std::chrono::seconds>(time).count()) + " s";
}

std::filesystem::path program_of(const std::filesystem::path& configured) {
  return configured.empty() ? find_program_file("hansa-trainer") : configured;
}

// Of data that a child opens.
std::string location_of(const learning::DataConfig& data) {
  for (const auto* path : {&data.file, &data.class_folders, &data.images})
    if (!path->empty()) return path->string();
  return "data";
}

// Why a training ended with its process.
Error error_of(const ProcessEnd& end, const std::string& archive) {
  const Reason by_its_end{ReasonCode::trainer_ended, {}};
  if (end.signal == SIGKILL)
    return {ErrorCode::resource, archive,
            "the training was killed, probably because the device is short of memory",
            "lower training.batch_size, or set resources.trainer_memory_mib_max", by_its_end};
  if (end.signal == SIGSYS)
    return {ErrorCode::model, archive,
            "the training tried what its sandbox forbids, such as a connection or a program, and was ended",
            "the model's code is hostile: ask who made it", by_its_end};
  return {ErrorCode::model, archive, "the training crashed: its process " + end.text(),
          "the model's code, or LibTorch on this device, has a fault", by_its_end};
}

// The task of a request, without outputs, examples and room for results.
internal::Task task_for(const learning::TrainingRequest& request) {
  internal::Task task;
  task.request.archive = request.archive;
  task.request.layout = request.layout;
  task.request.method = request.method;
  task.request.inputs = request.inputs;
  task.request.seed = request.seed;
  task.request.magnitude_max = request.magnitude_max;
  task.request.task = request.task;
  task.request.hold_out = request.hold_out;
  task.request.hold_out_key = request.hold_out_key;
  task.request.own_metrics = request.own_metrics;
  for (const learning::InputVector& input : request.inputs) task.sizes.inputs.push_back(input.values.size());
  for (const auto& [name, vector] : request.kept) {
    task.kept.emplace_back(name, vector.of());
    task.sizes.kept.push_back(vector.values().size());
    task.sizes.kept_results += vector.values().size();
  }
  return task;
}

// Room for what the child says of the archive. Personal layers are part of it, and it is not compressed.
Result<void> add_archive_room(const learning::TrainingRequest& request, internal::Task& task) {
  constexpr std::size_t spare_values = 1 << 16;
  struct stat status {};
  if (::stat(request.archive.path().c_str(), &status) != 0)
    return fail(ErrorCode::model, request.archive.location(), "does not exist", "name a TorchScript archive");
  task.sizes.kept_results += static_cast<std::size_t>(status.st_size) / sizeof(float) + spare_values;
  return {};
}

}  // namespace

// One child, with its data open, for one archive.
class ProcessTrainer::Session {
 public:
  [[nodiscard]] static Result<std::unique_ptr<Session>> start(const ProcessTrainerConfig& config,
                                                              const std::stop_token& stop) {
    const bool opens_data = std::holds_alternative<learning::DataConfig>(config.data);
    HANSA_TRY(Child child, Child::start(program_of(config.program)));
    HANSA_TRY_VOID(child.send(learning::frame_of(
        {{"op", "open"},
         {"data", opens_data ? learning::json_of(std::get<learning::DataConfig>(config.data)) : Json()},
         {"scale", static_cast<int>(config.scale)},
         {"threads", config.threads},
         {"task_bytes_max", config.task_bytes_max},
         {"memory_bytes_max", config.limits.memory_bytes_max},
         {"secret", internal::json_of(config.secret)},
         {"lock", config.sandbox == SandboxMode::locked}})));
    const std::string location = opens_data ? location_of(std::get<learning::DataConfig>(config.data)) : "";
    HANSA_TRY(const std::string frame,
              internal::wait_while_opening(child, location,
                                           {config.limits.stall, [&stop] { return stop.stop_requested(); }}));
    HANSA_TRY(const Json answer, learning::parse_answer(frame, "hansa-trainer"));
    auto out = std::make_unique<Session>(std::move(child));
    out->examples = answer.value("examples", std::uint64_t{0});
    out->has_landlock = answer.value("landlock", false);
    try {
      if (opens_data) out->description = learning::description_of(answer.at("description"));
      if (opens_data) out->notes = learning::errors_of(answer.at("notes"));
    } catch (const Json::exception&) {
      return fail(ErrorCode::internal, "hansa-trainer", "describes its data in a way that cannot be right");
    }
    return out;
  }
  explicit Session(Child child) : child_(std::move(child)) {}

  // False if the child has ended while nobody watched, or sends what nobody asked for.
  [[nodiscard]] bool is_ready() {
    const auto nothing = child_.receive();
    return nothing && !*nothing;
  }

  [[nodiscard]] bool has_ended() const { return child_.end().has_value(); }

  [[nodiscard]] Result<learning::TrainingResult> train(internal::Task task,
                                                       const learning::TrainingRequest& request,
                                                       const learning::TrainingData* data,
                                                       std::span<const learning::OutputVector> outputs,
                                                       const TrainerLimits& limits,
                                                       const std::stop_token& stop) {
    const Instant start_time = steady_now();
    HANSA_TRY(const std::string frame, exchange(task, request, data, limits, stop));
    const internal::TaskMemory memory(memory_.bytes(), task.sizes);
    const internal::Expected expected{data != nullptr ? data->source->example_count() : examples,
                                      std::chrono::duration<double>(steady_now() - start_time).count()};
    HANSA_TRY(auto result, internal::accept_answer(frame, task, memory, expected, outputs));
    // Statistics use up no examples.
    if (data != nullptr && request.method.name != statistics_method) {
      result.new_examples = data->new_examples;
      result.data_mark = data->mark;
    }
    return result;
  }

  [[nodiscard]] Result<learning::ValuePlaces> find_places(internal::Task task,
                                                          const learning::TrainingRequest& request,
                                                          const TrainerLimits& limits,
                                                          const std::stop_token& stop) {
    HANSA_TRY(const std::string frame, exchange(task, request, nullptr, limits, stop));
    return internal::accept_places(frame, task, internal::TaskMemory(memory_.bytes(), task.sizes));
  }

  [[nodiscard]] Result<TrialStep> try_step(const learning::ArchiveFile& model, Duration stall) {
    const std::string location = model.location();
    const Descriptor file(::open(model.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return fail_with_errno(model.path(), "cannot be opened");
    const int descriptors[] = {file.get()};
    if (auto sent = child_.send(learning::frame_of({{"op", "check"},
                                                    {"archive", location},
                                                    {"identity", model.identity()},
                                                    {"batch_size", trial_batch}}),
                                descriptors);
        !sent)
      return ended(location, sent.error());
    auto frame = internal::wait_while_opening(child_, location, {stall, nullptr});
    if (!frame) return ended(location, frame.error());
    TrialStep out;
    out.peak_memory_bytes = internal::peak_memory(child_.process());
    HANSA_TRY(const Json answer, learning::parse_answer(*frame, "hansa-trainer"));
    try {
      out.values = answer.at("values").get<std::uint64_t>();
      out.warnings = answer.at("warnings").get<std::vector<std::string>>();
    } catch (const Json::exception&) {
      return fail(ErrorCode::internal, "hansa-trainer", "answers in a way that cannot be right");
    }
    return out;
  }

  [[nodiscard]] learning::AvailableData available() const { return {examples, 0, {}, description, notes}; }

  std::string archive;  // the identity of the only archive that this child has loaded; empty: none yet
  std::uint64_t examples = 0;  // that the child has opened
  std::optional<DataDescription> description;  // of these examples
  std::vector<Error> notes;  // about their files
  bool has_landlock = false;

 private:
  // Whether the child's progress extends the time that it has.
  enum class Steps : std::uint8_t { counted, ignored };

  // Fills the memory, sends the task, and waits for the answer.
  [[nodiscard]] Result<std::string> exchange(internal::Task& task, const learning::TrainingRequest& request,
                                             const learning::TrainingData* data, const TrainerLimits& limits,
                                             const std::stop_token& stop) {
    const std::string location = request.archive.location();
    const Descriptor file(::open(request.archive.path().c_str(), O_RDONLY | O_CLOEXEC));
    if (!file) return fail_with_errno(request.archive.path(), "cannot be opened");
    HANSA_TRY_VOID(make_room(task));
    const internal::TaskMemory memory(memory_.bytes(), task.sizes);
    HANSA_TRY_VOID(fill(task, request, data, memory));
    memory.stop().store(stop.stop_requested() ? 1 : 0);
    std::vector<int> descriptors{file.get()};
    if (task.new_memory) descriptors.push_back(memory_.descriptor());
    if (auto sent = child_.send(learning::frame_of(internal::json_of(task)), descriptors); !sent)
      return ended(location, sent.error());
    // Only training has steps: a child that counts others is hostile, and would be waited for without end.
    const Steps steps = task.operation == places_operation ? Steps::ignored : Steps::counted;
    return wait_for_answer(location, memory, limits, steps, stop);
  }

  // The memory of an earlier task is used again if it is large enough: its pages are mapped already.
  [[nodiscard]] Result<void> make_room(internal::Task& task) {
    const std::size_t bytes = internal::TaskMemory::bytes_for(task.sizes);
    task.new_memory = memory_.bytes().size() < bytes;
    if (task.new_memory) {
      HANSA_TRY(memory_, SharedMemory::create(bytes));
    }
    task.memory_bytes = memory_.bytes().size();
    return {};
  }

  [[nodiscard]] static Result<void> fill(const internal::Task& task, const learning::TrainingRequest& request,
                                         const learning::TrainingData* data,
                                         const internal::TaskMemory& memory) {
    memory.progress().store(0);
    for (std::size_t i = 0; i < request.inputs.size(); ++i)
      std::ranges::copy(request.inputs[i].values, memory.input(i).begin());
    for (std::size_t i = 0; i < task.kept.size(); ++i)
      std::ranges::copy(request.kept.at(task.kept[i].first).values(), memory.kept(i).begin());
    return data == nullptr ? Result<void>() : internal::copy_examples(*data->source, memory);
  }

  // Processor time that the child has used since its start, in seconds.
  [[nodiscard]] std::uint64_t processor_seconds() const {
    clockid_t clock = 0;
    timespec used{};
    if (::clock_getcpuclockid(child_.process(), &clock) != 0 || ::clock_gettime(clock, &used) != 0) return 0;
    return static_cast<std::uint64_t>(used.tv_sec);
  }

  [[nodiscard]] tl::unexpected<Error> ended(const std::string& location, const Error& otherwise) const {
    return tl::unexpected<Error>(child_.end() ? error_of(*child_.end(), location) : otherwise);
  }

  [[nodiscard]] Result<std::string> wait_for_answer(const std::string& location,
                                                    const internal::TaskMemory& memory,
                                                    const TrainerLimits& limits, Steps steps,
                                                    const std::stop_token& stop) {
    std::uint64_t progress = 0;
    Instant progressed = steady_now();
    std::optional<Instant> stop_asked;
    // The process has trained before. Measured here, because the child could ignore a limit of its own.
    const std::uint64_t processor_before = processor_seconds();
    while (true) {
      auto frame = child_.receive();
      if (!frame) return ended(location, frame.error());
      if (*frame) return std::move(**frame);
      const Instant now = steady_now();
      if (const std::uint64_t reached = memory.progress().load(std::memory_order_relaxed);
          reached != progress && steps == Steps::counted) {
        progress = reached;
        progressed = now;
      }
      if (stop.stop_requested() && !stop_asked) {
        memory.stop().store(1);
        stop_asked = now;
      }
      if (stop_asked && now - *stop_asked > limits.stop_grace) {
        child_.kill();
        return fail(ErrorCode::resource, location, "stopped",
                    "the training did not stop by itself and was ended", {ReasonCode::stopped, {}});
      }
      if (limits.cpu_s_max > 0 && processor_seconds() > processor_before + limits.cpu_s_max) {
        child_.kill();
        return fail(ErrorCode::resource, location,
                    "the training used more than " + std::to_string(limits.cpu_s_max) +
                        " s of processor time and was ended",
                    "raise resources.trainer_cpu_s_max, or lower training.epochs",
                    {ReasonCode::trainer_ended, {}});
      }
      if (now - progressed > limits.stall) {
        child_.kill();
        const std::string what =
            steps == Steps::counted ? "the training made no step for " : "the model was not saved within ";
        return fail(ErrorCode::resource, location, what + seconds_text(limits.stall) + " and was ended",
                    "raise resources.trainer_stall_s if this model takes that long here",
                    {ReasonCode::trainer_ended, {}});
      }
      pollfd waiting{child_.descriptor(), POLLIN, 0};
      (void)::poll(&waiting, 1, look_interval_ms);
    }
  }

  Child child_;
  SharedMemory memory_;
};

// What the child found of its data when it last opened it.
class ProcessTrainer::Reported final : public DataSupply {
 public:
  void set(Result<learning::AvailableData> data) {
    const std::lock_guard lock(mutex_);
    data_ = std::move(data);
  }
  Result<learning::AvailableData> available() override {
    const std::lock_guard lock(mutex_);
    return data_;
  }
  Result<learning::TrainingData> open(TaskId) override {
    return fail(ErrorCode::internal, "data", "is open in another process");
  }

 private:
  std::mutex mutex_;
  Result<learning::AvailableData> data_ = fail(ErrorCode::data, "data", "has not been opened");
};

ProcessTrainer::ProcessTrainer(ProcessTrainerConfig config, Logger log)
    : config_(std::move(config)), log_(std::move(log)), reported_(std::make_shared<Reported>()) {}
ProcessTrainer::~ProcessTrainer() = default;

std::shared_ptr<DataSupply> ProcessTrainer::reported_data() const {
  if (const auto* supply = std::get_if<std::shared_ptr<DataSupply>>(&config_.data)) return *supply;
  return reported_;
}

// An empty archive stands for any.
Result<ProcessTrainer::Session*> ProcessTrainer::session_for(const std::string& archive,
                                                             const std::stop_token& stop) {
  const bool fits =
      session_ && (archive.empty() || session_->archive.empty() || session_->archive == archive);
  if (!fits || !session_->is_ready()) {
    session_.reset();  // first, because two may need more memory than the device has
    auto started = Session::start(config_, stop);
    if (!started) {
      if (started.error().reason.code != ReasonCode::stopped)
        reported_->set(tl::unexpected<Error>(started.error()));
      return tl::unexpected<Error>(std::move(started).error());
    }
    session_ = std::move(*started);
    reported_->set(session_->available());
    if (config_.sandbox == SandboxMode::locked && !session_->has_landlock)
      log_.debug("the kernel has no Landlock: the trainer is locked by seccomp alone");
  }
  if (!archive.empty()) session_->archive = archive;
  return session_.get();
}

const MethodTable& ProcessTrainer::methods() const { return methods_with_statistics(); }

Result<learning::AvailableData> ProcessTrainer::available_data(std::stop_token stop) {
  if (const auto* supply = std::get_if<std::shared_ptr<DataSupply>>(&config_.data))
    return (*supply)->available();
  HANSA_TRY(const Session* session, session_for({}, stop));
  return session->available();
}

Result<learning::TrainingResult> ProcessTrainer::train(const learning::TrainingRequest& request,
                                                       std::span<const learning::OutputVector> outputs,
                                                       std::stop_token stop) {
  if (config_.sandbox == SandboxMode::unlocked)
    log_.warning(
        "trains without a sandbox (--no-sandbox): the model's code may read, write and send what this user "
        "may");
  std::optional<learning::TrainingData> data;
  if (const auto* supply = std::get_if<std::shared_ptr<DataSupply>>(&config_.data)) {
    HANSA_TRY(data, (*supply)->open(request.task));
  }
  internal::Task task = task_for(request);
  for (const learning::OutputVector& output : outputs) {
    task.output_names.push_back(output.name);
    task.sizes.outputs.push_back(output.values.size());
  }
  if (data) {
    task.examples = internal::PassedExamples{data->source->location(), data->source->shape(),
                                             data->source->example_count()};
    internal::add_examples(task.examples->shape, task.examples->count, task.sizes);
  }
  HANSA_TRY_VOID(add_archive_room(request, task));

  HANSA_TRY(Session * session, session_for(request.archive.identity(), stop));
  auto result =
      session->train(std::move(task), request, data ? &*data : nullptr, outputs, config_.limits, stop);
  // What failed may have left something behind in its process. A training that stopped when it was asked has not failed.
  const bool stopped = !result && stop.stop_requested() && !session->has_ended();
  if (!result && !stopped) session_.reset();
  return result;
}

Result<learning::WrittenFile> ProcessTrainer::save(const learning::TrainingRequest& request,
                                                   learning::PersonalValues personal,
                                                   const std::filesystem::path& out, std::stop_token stop) {
  // The child needs the archive and no values: it says where they are.
  learning::TrainingRequest asked;
  asked.archive = request.archive;
  asked.layout = request.layout;
  asked.method = request.method;
  internal::Task task = task_for(asked);
  task.operation = places_operation;
  HANSA_TRY_VOID(add_archive_room(asked, task));
  HANSA_TRY(Session * session, session_for(request.archive.identity(), stop));
  auto places = session->find_places(std::move(task), asked, config_.limits, stop);
  if (!places) {
    session_.reset();
    return tl::unexpected<Error>(std::move(places).error());
  }
  auto written = learning::save_at_places(request, personal, *places, out, stop);
  // The places may be lies of a child that was taken over.
  if (!written && written.error().code == ErrorCode::model) session_.reset();
  return written;
}

Result<TrialStep> ProcessTrainer::try_step(const learning::ArchiveFile& archive) {
  if (std::holds_alternative<std::shared_ptr<DataSupply>>(config_.data))
    return fail(ErrorCode::usage, archive.location(), "cannot be tried on data that arrives");
  HANSA_TRY(Session * session, session_for(archive.identity(), {}));
  auto out = session->try_step(archive, config_.limits.stall);
  if (!out) session_.reset();
  return out;
}

void ProcessTrainer::release() {
  if (!session_) return;
  session_.reset();
  ::malloc_trim(0);
}

}  // namespace hansa::client
