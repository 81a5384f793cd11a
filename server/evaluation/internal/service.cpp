#include "server/evaluation/internal/service.h"

#include <algorithm>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <vector>

#include <unistd.h>

#include "common/process/shared_memory.h"
#include "common/read_at.h"
#include "common/sandbox/lock.h"
#include "learning/data/scaled_source.h"
#include "learning/data_supply.h"
#include "learning/model_archive.h"
#include "learning/warm_up.h"
#include "server/evaluation/internal/protocol.h"

namespace hansa::server::internal {
namespace {

using learning::Json;

constexpr std::uint64_t parameter_bytes_max = std::uint64_t{16} << 30;

tl::unexpected<Error> fail_descriptors() {
  return fail(ErrorCode::internal, "request", "has the wrong number of descriptors");
}

learning::ArchiveFile archive_of(const Json& request, Frame& frame) {
  return {request.at("archive").get<std::string>(), std::move(frame.descriptors[0]), "opened"};
}

Result<std::vector<float>> read_parameters(const Descriptor& file, const std::string& path) {
  const off_t bytes = ::lseek(file.get(), 0, SEEK_END);
  if (bytes < 0 || bytes % static_cast<off_t>(sizeof(float)) != 0 ||
      static_cast<std::uint64_t>(bytes) > parameter_bytes_max)
    return fail(ErrorCode::storage, path, "is not a file of float32 parameters");
  std::vector<float> out(static_cast<std::size_t>(bytes) / sizeof(float));
  const auto read = read_at(file, 0, std::as_writable_bytes(std::span(out)));
  if (!read) return fail_with_errno(path, "cannot be read");
  if (*read != out.size() * sizeof(float)) return fail(ErrorCode::storage, path, "has lost its end");
  return out;
}

}  // namespace

Result<void> Service::lock() const {
  learning::warm_up();
  const sandbox::LockConfig config{channel_, 0};
  HANSA_TRY_VOID(sandbox::limit_process(config));
  HANSA_TRY_VOID(sandbox::lock_process(config));
  return {};
}

Result<Json> Service::describe(const Json& request, Frame& frame) {
  if (frame.descriptors.size() != 2) return fail_descriptors();
  HANSA_TRY(const SharedMemory memory, SharedMemory::map(std::move(frame.descriptors[1]),
                                                         request.at("memory_bytes").get<std::size_t>()));
  HANSA_TRY_VOID(lock());
  const auto personal = request.at("personal").get<std::vector<std::string>>();
  HANSA_TRY(const auto description, learning::describe_archive(archive_of(request, frame), personal));
  const std::string layout = description.layout.text();
  const auto values = std::as_bytes(std::span(description.parameters));
  const std::size_t offset = values_offset(layout.size());
  if (offset + values.size() > memory.bytes().size())
    return fail(ErrorCode::model, request.at("archive").get<std::string>(),
                "holds more values than its size allows");
  std::memcpy(memory.bytes().data(), layout.data(), layout.size());
  std::ranges::copy(values, memory.bytes().begin() + static_cast<std::ptrdiff_t>(offset));
  return Json{{"ok", true},
              {"layout_bytes", layout.size()},
              {"values", description.parameters.size()},
              {"has_training_loss", description.has_training_loss},
              {"has_metrics", description.has_metrics},
              {"metric_names", description.metric_names}};
}

Result<Json> Service::open(const Json& request, Frame& frame) {
  if (frame.descriptors.size() != 1) return fail_descriptors();
  const learning::DataConfig config = learning::data_of(request.at("data"));
  HANSA_TRY(auto opened, learning::open_examples(config));
  HANSA_TRY(auto data, learning::scaled(std::move(opened), config.scale,
                                        request.at("statistics").get<std::vector<float>>()));
  HANSA_TRY_VOID(lock());
  const auto personal = request.at("personal").get<std::vector<std::string>>();
  HANSA_TRY(evaluator_, learning::make_evaluator(archive_of(request, frame), std::move(data),
                                                 request.at("threads").get<int>(), personal));
  return Json{{"ok", true}};
}

Result<Json> Service::evaluate(const Json& request, const Frame& frame) {
  if (!evaluator_) return fail(ErrorCode::internal, "request", "asks to evaluate before a model is open");
  if (frame.descriptors.size() != 1) return fail_descriptors();
  HANSA_TRY(const std::vector<float> parameters,
            read_parameters(frame.descriptors[0], request.at("parameters").get<std::string>()));
  HANSA_TRY(const Metrics metrics, evaluator_->evaluate(parameters));
  return Json{{"ok", true}, {"metrics", learning::json_of(metrics)}, {"warning", evaluator_->warning()}};
}

std::string Service::answer(Frame frame) {
  const auto handle = [&]() -> Result<Json> {
    HANSA_TRY(const Json request, learning::parse_frame(frame.text, "request"));
    const auto operation = request.at("op").get<std::string>();
    if (operation == "describe") return describe(request, frame);
    if (operation == "open") return open(request, frame);
    if (operation == "evaluate") return evaluate(request, frame);
    return fail(ErrorCode::internal, "request", "has the unknown operation \"" + operation + "\"");
  };
  return learning::answer_of(
      handle, {ErrorCode::resource, "evaluator", "is out of memory", "evaluate on fewer examples"});
}

}  // namespace hansa::server::internal
