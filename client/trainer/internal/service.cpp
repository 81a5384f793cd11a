#include "client/trainer/internal/service.h"

#include <algorithm>
#include <filesystem>
#include <utility>

#include "client/trainer/internal/task_examples.h"
#include "common/sandbox/lock.h"
#include "common/sandbox/reading.h"
#include "learning/data/left_out.h"
#include "learning/data_supply.h"
#include "learning/find_value_places.h"
#include "learning/local_trainer.h"
#include "learning/model_check.h"
#include "learning/warm_up.h"

namespace hansa::client::internal {

using learning::json_of;

Service::Service(int channel) : channel_(channel), supply_(std::make_shared<TaskSupply>()) {}
Service::~Service() = default;

std::string Service::answer(Frame frame) {
  const auto handle = [&]() -> Result<Json> {
    HANSA_TRY(const Json request, learning::parse_frame(frame.text, "request"));
    const auto operation = request.at("op").get<std::string>();
    if (operation == "open") return open(request);
    if (operation == "train") return train(request, frame);
    if (operation == "places") return find_places(request, frame);
    if (operation == "check") return check(request, frame);
    if (operation == "read") return read(request);
    if (operation == "copy") return copy(frame);
    return fail(ErrorCode::internal, "request", "has the unknown operation \"" + operation + "\"");
  };
  return learning::answer_of(handle,
                             {ErrorCode::resource, "hansa-trainer", "is out of memory",
                              "raise resources.trainer_memory_mib_max, or lower training.batch_size"});
}

namespace {

// Whether `path` is `folder` or below it.
bool lies_in(const std::filesystem::path& path, const std::filesystem::path& folder) {
  if (path.empty()) return false;
  const auto inner = std::filesystem::weakly_canonical(path),
             outer = std::filesystem::weakly_canonical(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// What the data's files need not, and may not, read. Data that the owner keeps in the state folder is read all the same.
sandbox::ReadingConfig reading_of(const Json& secret, const learning::DataConfig& data) {
  sandbox::ReadingConfig out;
  for (const Json& entry : secret) {
    const std::filesystem::path path = entry.get<std::string>();
    const auto holds = [&](const std::filesystem::path& file) { return lies_in(file, path); };
    if (!holds(data.file) && !holds(data.images) && !holds(data.labels) && !holds(data.class_folders))
      out.secret.push_back(path);
  }
  for (const auto* path : {&data.file, &data.images, &data.labels, &data.tokenizer})
    if (!path->empty()) out.readable.push_back(path->parent_path());
  for (const auto* path : {&data.images, &data.class_folders})
    if (!path->empty()) out.readable.push_back(*path);
  // SQLite may write files next to its database, and temporary ones.
  if (data.kind == "sqlite") out.writable = {data.file.parent_path(), "/tmp", "/var/tmp"};
  return out;
}

// The error of a kernel that refuses the lock.
tl::unexpected<Error> not_locked(Error error) {
  error.hint += "; for development only: hansa-client --no-sandbox";
  return tl::unexpected<Error>(std::move(error));
}

}  // namespace

// The parsers of data files must not be able to do what the files say. A plugin is the device's own code.
Result<void> Service::open_data(const Json& request) {
  const learning::DataConfig data = learning::data_of(request.at("data"));
  if (request.at("lock").get<bool>() && data.plugin.empty())
    if (auto restricted = sandbox::restrict_to_reading(reading_of(request.at("secret"), data)); !restricted)
      return not_locked(std::move(restricted).error());
  HANSA_TRY(opened_, learning::open_examples(data));
  return {};
}

Result<Json> Service::open(const Json& request) {
  if (trainer_) return fail(ErrorCode::internal, "request", "opens a second time");
  if (!request.at("data").is_null()) HANSA_TRY_VOID(open_data(request));
  learning::warm_up();
  const sandbox::LockConfig lock{channel_, request.at("memory_bytes_max").get<std::uint64_t>()};
  HANSA_TRY_VOID(sandbox::limit_process(lock));
  sandbox::Landlock landlock = sandbox::Landlock::absent;
  if (request.at("lock").get<bool>()) {
    auto locked = sandbox::lock_process(lock);
    if (!locked) return not_locked(std::move(locked).error());
    landlock = *locked;
  }
  learning::LocalTrainerConfig config;
  config.threads = request.at("threads").get<int>();
  config.memory_bytes_max = request.at("task_bytes_max").get<std::uint64_t>();
  config.supply = supply_;
  config.scale = scale_ = static_cast<learning::Scaling>(request.at("scale").get<int>());
  trainer_ = learning::make_local_trainer(config);
  Json answer{{"ok", true},
              {"examples", opened_ ? opened_->example_count() : 0},
              {"landlock", landlock == sandbox::Landlock::held}};
  if (opened_) answer["description"] = json_of(opened_->description());
  if (opened_) {
    answer["notes"] = Json::array();
    for (const Error& note : learning::notes_of(*opened_)) answer["notes"].push_back(json_of(note));
  }
  return answer;
}

Result<Task> Service::task_in_memory(const Json& request, Frame& frame) {
  if (!trainer_) return fail(ErrorCode::internal, "request", "trains before the data is open");
  Task task = task_of(request);
  if (frame.descriptors.size() != (task.new_memory ? 2U : 1U))
    return fail(ErrorCode::internal, "request", "has the wrong number of descriptors");
  if (task.new_memory) {
    memory_ = {};
    HANSA_TRY(memory_, SharedMemory::map(std::move(frame.descriptors[1]), task.memory_bytes));
  }
  if (memory_.bytes().size() < TaskMemory::bytes_for(task.sizes))
    return fail(ErrorCode::internal, "request", "has too little memory");
  const TaskMemory memory(memory_.bytes(), task.sizes);
  task.request.archive =
      learning::ArchiveFile(request.at("archive").get<std::string>(), std::move(frame.descriptors[0]),
                            request.at("identity").get<std::string>());
  for (std::size_t i = 0; i < task.request.inputs.size(); ++i)
    task.request.inputs[i].values = memory.input(i);
  for (std::size_t i = 0; i < task.kept.size(); ++i) {
    const std::span<const float> values = memory.kept(i);
    task.request.kept.emplace(task.kept[i].first,
                              learning::KeptVector(task.kept[i].second, {values.begin(), values.end()}));
  }
  return task;
}

Result<Json> Service::train(const Json& request, Frame& frame) {
  HANSA_TRY(Task task, task_in_memory(request, frame));
  const TaskMemory memory(memory_.bytes(), task.sizes);
  std::vector<learning::OutputVector> outputs;
  for (std::size_t i = 0; i < task.output_names.size(); ++i)
    outputs.push_back({task.output_names[i], memory.output(i)});

  std::stop_source stop;
  std::shared_ptr<const learning::DataSource> source = opened_;
  if (task.examples) source = std::make_shared<MemorySource>(*task.examples, memory);
  supply_->set(std::make_shared<WatchedSource>(std::move(source), memory, stop));
  auto trained = trainer_->train(task.request, outputs, stop.get_token());
  supply_->set(nullptr);
  if (!trained) return tl::unexpected<Error>(std::move(trained).error());

  Json kept = Json::array();
  std::span<float> room = memory.kept_results();
  for (const auto& [name, vector] : trained->kept) {
    const std::vector<float>& values = vector.values();
    if (values.size() > room.size())
      return fail(ErrorCode::resource, "hansa-trainer", "has no room for what the training wants to keep");
    std::ranges::copy(values, room.begin());
    room = room.subspan(values.size());
    kept.push_back({{"name", name}, {"of", vector.of().text()}, {"values", values.size()}});
  }
  return Json{{"ok", true},
              {"examples", trained->examples},
              {"samples", trained->samples},
              {"seconds", trained->train_seconds},
              {"metrics", json_of(trained->metrics)},
              {"note", trained->note},
              {"kept", std::move(kept)}};
}

Result<Json> Service::find_places(const Json& request, Frame& frame) {
  HANSA_TRY(const Task task, task_in_memory(request, frame));
  const MethodDescription* method = find_method(built_in_methods(), task.request.method.name);
  if (method == nullptr) return fail(ErrorCode::internal, "request", "has an unknown method");
  const auto patterns = training_config(*method, task.request.method).personal;
  HANSA_TRY(const learning::ValuePlaces places, learning::find_value_places(task.request.archive, patterns));
  auto room = std::as_writable_bytes(TaskMemory(memory_.bytes(), task.sizes).kept_results());
  Json sizes = Json::array();
  for (const std::string& text : {places.shared.layout.text(), text_of(places.shared.places),
                                  places.personal.layout.text(), text_of(places.personal.places)}) {
    if (text.size() > room.size())
      return fail(ErrorCode::resource, "hansa-trainer", "has no room for the places of the values");
    std::ranges::copy(std::as_bytes(std::span(text)), room.begin());
    room = room.subspan(text.size());
    sizes.push_back(text.size());
  }
  return Json{{"ok", true}, {"texts", std::move(sizes)}};
}

Result<Json> Service::check(const Json& request, Frame& frame) {
  if (!trainer_ || !opened_ || frame.descriptors.size() != 1)
    return fail(ErrorCode::internal, "request", "checks a model without open data");
  const learning::ArchiveFile archive(request.at("archive").get<std::string>(),
                                      std::move(frame.descriptors[0]),
                                      request.at("identity").get<std::string>());
  supply_->set(opened_);
  auto checked = learning::check_steps(archive, *trainer_, *opened_,
                                       {scale_, request.at("batch_size").get<std::uint32_t>()});
  supply_->set(nullptr);
  if (!checked) return tl::unexpected<Error>(std::move(checked).error());
  return Json{{"ok", true}, {"values", checked->values}, {"warnings", checked->warnings}};
}

Result<Json> Service::read(const Json& request) {
  HANSA_TRY_VOID(open_data(request));
  learning::warm_up();
  // Files that are decoded when they are read, such as photos, are decoded in the lock.
  const sandbox::LockConfig lock{channel_};
  HANSA_TRY_VOID(sandbox::limit_process(lock));
  if (request.at("lock").get<bool>())
    if (auto locked = sandbox::lock_process(lock); !locked) return not_locked(std::move(locked).error());
  return Json{{"ok", true},
              {"location", opened_->location()},
              {"shape", json_of(opened_->shape())},
              {"description", json_of(opened_->description())},
              {"examples", opened_->example_count()}};
}

Result<Json> Service::copy(Frame& frame) {
  if (!opened_ || frame.descriptors.size() != 1)
    return fail(ErrorCode::internal, "request", "copies examples that are not open");
  TaskSizes sizes;
  add_examples(opened_->shape(), opened_->example_count(), sizes);
  HANSA_TRY(memory_, SharedMemory::map(std::move(frame.descriptors[0]), TaskMemory::bytes_for(sizes)));
  HANSA_TRY_VOID(copy_examples(*opened_, TaskMemory(memory_.bytes(), sizes)));
  return Json{{"ok", true}};
}

}  // namespace hansa::client::internal
