#include "server/evaluation/internal/service.h"

#include <cstdint>
#include <exception>
#include <filesystem>
#include <vector>

#include "common/files.h"
#include "learning/model_archive.h"
#include "server/evaluation/internal/wire.h"

namespace hansa::server::internal {
namespace {

constexpr std::size_t parameter_bytes_max = std::size_t{16} << 30;

Result<Json> describe(const Json& request) {
  const auto personal = request.at("personal").get<std::vector<std::string>>();
  HANSA_TRY(const auto description,
            learning::describe_archive(request.at("archive").get<std::string>(), personal));
  HANSA_TRY_VOID(write_file_atomically(request.at("layout").get<std::string>(), description.layout.text(),
                                       FileAccess::owner_only));
  HANSA_TRY_VOID(write_file_atomically(request.at("parameters").get<std::string>(),
                                       std::as_bytes(std::span(description.parameters)),
                                       FileAccess::owner_only));
  return Json{{"ok", true}, {"archive", description.archive.text()}};
}

Result<Json> evaluate(const Json& request, learning::Evaluator& evaluator) {
  const std::string path = request.at("parameters").get<std::string>();
  std::error_code error;
  const std::uintmax_t bytes = std::filesystem::file_size(path, error);
  if (error || bytes % sizeof(float) != 0 || bytes > parameter_bytes_max)
    return fail(ErrorCode::storage, path, "is not a file of float32 parameters");
  std::vector<float> parameters(bytes / sizeof(float));
  HANSA_TRY_VOID(read_file_into(path, std::as_writable_bytes(std::span(parameters))));
  HANSA_TRY(const Metrics metrics, evaluator.evaluate(parameters));
  return Json{{"ok", true}, {"metrics", json_of(metrics)}};
}

}  // namespace

std::string Service::answer(std::string_view line) {
  const auto handle = [&]() -> Result<Json> {
    HANSA_TRY(const Json request, parse_line(line, "request"));
    const std::string operation = request.at("op").get<std::string>();
    if (operation == "describe") return describe(request);
    if (operation == "open") {
      const auto personal = request.at("personal").get<std::vector<std::string>>();
      HANSA_TRY(evaluator_, learning::make_evaluator(request.at("archive").get<std::string>(),
                                                     data_of(request.at("data")),
                                                     request.at("threads").get<int>(), personal));
      return Json{{"ok", true}};
    }
    if (operation == "evaluate") {
      if (!evaluator_) return fail(ErrorCode::internal, "request", "asks to evaluate before a model is open");
      return evaluate(request, *evaluator_);
    }
    return fail(ErrorCode::internal, "request", "has the unknown operation \"" + operation + "\"");
  };
  try {
    const Result<Json> answer = handle();
    return line_of(answer ? *answer : json_of(answer.error()));
  } catch (const std::bad_alloc&) {
    return line_of(
        json_of(Error{ErrorCode::resource, "evaluator", "is out of memory", "evaluate on fewer examples"}));
  } catch (const std::exception& caught) {
    return line_of(json_of(Error{ErrorCode::internal, "request", caught.what(), ""}));
  }
}

}  // namespace hansa::server::internal
