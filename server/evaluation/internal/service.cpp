#include "server/evaluation/internal/service.h"

#include <cstdint>
#include <cstring>
#include <utility>
#include <vector>

#include <sys/mman.h>
#include <unistd.h>

#include "common/process/shared_memory.h"
#include "common/sandbox/lock.h"
#include "learning/archive_values.h"
#include "learning/data/scaled_source.h"
#include "learning/data_supply.h"
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

// A file of parameters, of which only those pages are in memory that are used.
class MappedParameters {
 public:
  static Result<MappedParameters> map(const Descriptor& file, const std::string& path) {
    const off_t size = ::lseek(file.get(), 0, SEEK_END);
    if (size <= 0 || size % static_cast<off_t>(sizeof(float)) != 0 ||
        static_cast<std::uint64_t>(size) > parameter_bytes_max)
      return fail(ErrorCode::storage, path, "is not a file of float32 parameters");
    const auto bytes = static_cast<std::size_t>(size);
    void* const data = ::mmap(nullptr, bytes, PROT_READ, MAP_PRIVATE, file.get(), 0);
    if (data == MAP_FAILED) return fail_with_errno(path, "cannot be read");
    return MappedParameters(data, bytes);
  }
  ~MappedParameters() {
    if (data_ != nullptr) ::munmap(data_, bytes_);
  }
  MappedParameters(MappedParameters&& other) noexcept
      : data_(std::exchange(other.data_, nullptr)), bytes_(other.bytes_) {}
  MappedParameters& operator=(MappedParameters&&) = delete;

  [[nodiscard]] std::span<const float> values() const {
    return {static_cast<const float*>(data_), bytes_ / sizeof(float)};
  }

 private:
  MappedParameters(void* data, std::size_t bytes) : data_(data), bytes_(bytes) {}

  void* data_;
  std::size_t bytes_;
};

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
  std::string layout;
  const auto room = [&](const ParameterLayout& of) -> Result<std::span<float>> {
    layout = of.text();
    const std::size_t offset = values_offset(layout.size()), available = memory.bytes().size();
    if (offset > available || of.element_count() > (available - offset) / sizeof(float))
      return fail(ErrorCode::model, request.at("archive").get<std::string>(),
                  "holds more values than its size allows");
    std::memcpy(memory.bytes().data(), layout.data(), layout.size());
    return std::span(reinterpret_cast<float*>(memory.bytes().data() + offset), of.element_count());
  };
  HANSA_TRY(const auto description,
            learning::describe_archive_into(room, archive_of(request, frame), personal));
  return Json{{"ok", true},
              {"layout_bytes", layout.size()},
              {"values", description.layout.element_count()},
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
  HANSA_TRY(const MappedParameters parameters,
            MappedParameters::map(frame.descriptors[0], request.at("parameters").get<std::string>()));
  HANSA_TRY(const Metrics metrics, evaluator_->evaluate(parameters.values()));
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
