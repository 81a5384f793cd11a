#include <algorithm>

#include "client/trainer/internal/opening.h"
#include "client/trainer/internal/protocol.h"
#include "client/trainer/process_trainer.h"
#include "common/process/child.h"
#include "common/process/shared_memory.h"
#include "common/program_files.h"
#include "learning/data/dense_source.h"

namespace hansa::client {
namespace {

using internal::Json;

constexpr std::uint64_t examples_limit = 1ULL << 32;

Result<std::unique_ptr<learning::DataSource>> read_in_child(const learning::DataConfig& config,
                                                            const ReadingInChild& reading) {
  const internal::OpeningLimits limits{reading.stall,
                                       [&] { return reading.stop_requested && reading.stop_requested(); }};
  const std::string location = config.file.string();
  HANSA_TRY(Child child, Child::start(find_program_file("hansa-trainer")));
  HANSA_TRY_VOID(child.send(learning::frame_of({{"op", "read"},
                                                {"data", learning::json_of(config)},
                                                {"secret", internal::json_of(reading.secret)},
                                                {"lock", reading.sandbox == SandboxMode::locked}})));
  HANSA_TRY(const std::string opened, internal::wait_while_opening(child, location, limits));
  HANSA_TRY(const Json answer, learning::parse_answer(opened, location));
  learning::Examples examples(learning::shape_of(answer.at("shape")));
  const auto count = answer.at("examples").get<std::uint64_t>();
  if (count == 0 || count >= examples_limit)
    return fail(ErrorCode::data, location, "has no examples, or too many");
  internal::TaskSizes sizes;
  internal::add_examples(examples.shape, count, sizes);
  HANSA_TRY(const SharedMemory shared, SharedMemory::create(internal::TaskMemory::bytes_for(sizes)));
  const int descriptor = shared.descriptor();
  HANSA_TRY_VOID(child.send(R"({"op":"copy"})", std::span(&descriptor, 1)));
  HANSA_TRY(const std::string copied, internal::wait_while_opening(child, location, limits));
  HANSA_TRY_VOID(learning::parse_answer(copied, location));
  const internal::TaskMemory memory(shared.bytes(), sizes);
  for (std::size_t t = 0; t < examples.tensors.size(); ++t)
    learning::append(memory.example_tensor(t), examples.tensors[t]);
  return std::make_unique<learning::DenseSource>(answer.at("location").get<std::string>(),
                                                 std::move(examples),
                                                 learning::description_of(answer.at("description")));
}

}  // namespace

Result<std::unique_ptr<learning::DataSource>> open_examples_in_child(const learning::DataConfig& config,
                                                                     const ReadingInChild& reading) {
  if (!learning::needs_trainer(config.kind)) return learning::open_data_source(config);
  try {
    return read_in_child(config, reading);
  } catch (const Json::exception& caught) {
    return fail(ErrorCode::internal, "hansa-trainer", caught.what());
  }
}

}  // namespace hansa::client
