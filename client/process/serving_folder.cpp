#include "client/process/serving_folder.h"

#include <utility>

#include <fmt/format.h>
#include <nlohmann/json.hpp>

#include "client/config/serving_files.h"
#include "common/files.h"
#include "common/utc.h"
#include "common/vector_digest.h"

namespace hansa::client {
namespace {

using Json = nlohmann::json;

Json json_of(const Metrics& metrics) {
  Json out = Json::object();
  for (const Metric& metric : metrics)
    if (metric.count > 0) out[metric.name] = metric.sum / metric.count;
  return out;
}

}  // namespace

Result<ServingFolder> ServingFolder::open(const std::filesystem::path& folder,
                                          const std::filesystem::path& state, std::string federation) {
  HANSA_TRY_VOID(make_folders(folder));
  HANSA_TRY_VOID(remove_unfinished(folder));
  HANSA_TRY_VOID(
      write_file_atomically(state / serving_pointer, std::filesystem::absolute(folder).string() + "\n"));
  return ServingFolder(folder, std::move(federation));
}

Result<void> ServingFolder::write(const ModelToServe& model, const Metrics& trained,
                                  learning::ModelSaver& saver, const std::stop_token& stop) const {
  Json manifest{{"format", 1},
                {"federation", federation_},
                {"run", model.run},
                {"round", model.round.value},
                {"model", vector_digest(model.request.inputs.front().values).text()},
                {"layout", model.request.layout.text()},
                {"time", rfc3339_text(utc_seconds_now())}};
  if (!trained.empty()) manifest["trained"] = json_of(trained);
  if (const auto& statistics = model.statistics)
    manifest["statistics"] = {{"means", statistics->means}, {"deviations", statistics->deviations}};
  const auto put = [&](const char* key, const char* name, learning::PersonalValues personal) -> Result<void> {
    HANSA_TRY(const learning::WrittenFile written, saver.save(model.request, personal, folder_ / name, stop));
    manifest[key] = {{"file", name}, {"bytes", written.bytes}, {"sha256", written.sha256.hex()}};
    return {};
  };
  HANSA_TRY_VOID(put("global", global_model_file, learning::PersonalValues::archived));
  if (model.personal == PersonalModel::present) {
    HANSA_TRY_VOID(put("personal", personal_model_file, learning::PersonalValues::kept));
  } else {
    std::error_code error;  // of an earlier federation
    std::filesystem::remove(folder_ / personal_model_file, error);
  }
  return write_file_atomically(folder_ / manifest_file, manifest.dump(2) + "\n");
}

}  // namespace hansa::client
