#include "learning/model_archive.h"

#include <algorithm>
#include <sstream>

#include "common/files.h"
#include "learning/archive_values.h"
#include "learning/internal/loaded_model.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {

Result<ModelDescription> describe_archive_into(const ValueRoom& room, const ArchiveFile& archive,
                                               std::span<const std::string> personal) {
  HANSA_TRY(LoadedModel model, LoadedModel::read(archive, personal));
  ModelDescription out;
  HANSA_TRY(out.archive, archive.digest());
  out.layout = model.layout();
  HANSA_TRY(const std::span<float> values, room(out.layout));
  model.extract(values);
  out.has_training_loss = model.traits().has_training_loss;
  out.has_metrics = model.traits().has_metrics;
  out.metric_names = model.metric_names();
  out.fixed_mode = model.fixed_mode_warning();
  return out;
}

Result<ModelDescription> describe_archive(const ArchiveFile& archive, std::span<const std::string> personal) {
  std::vector<float> parameters;
  const auto room = [&](const ParameterLayout& layout) -> Result<std::span<float>> {
    parameters.resize(layout.element_count());
    return std::span(parameters);
  };
  HANSA_TRY(ModelDescription out, describe_archive_into(room, archive, personal));
  out.parameters = std::move(parameters);
  return out;
}

Result<std::vector<std::string>> personal_names(const std::filesystem::path& archive,
                                                const ParameterLayout& layout) {
  HANSA_TRY(const LoadedModel model, LoadedModel::read(archive, {}));
  std::vector<std::string> out;
  for (const ParameterEntry& entry : model.layout().entries())
    if (std::ranges::find(layout.entries(), entry.name, &ParameterEntry::name) == layout.entries().end())
      out.push_back(entry.name);
  return out;
}

Result<void> save_with_parameters(const std::filesystem::path& archive, std::span<const float> parameters,
                                  const std::filesystem::path& out, std::span<const std::string> personal) {
  HANSA_TRY(LoadedModel model, LoadedModel::open(archive, personal));
  if (parameters.size() != model.layout().element_count())
    return fail(ErrorCode::model, archive.string(),
                "holds " + std::to_string(model.layout().element_count()) + " values, but " +
                    std::to_string(parameters.size()) + " were given",
                "give a vector made for this archive");
  HANSA_TRY(const std::string bytes,
            guarded(archive.string(), "cannot be saved", "", [&]() -> Result<std::string> {
              model.assign(parameters);
              model.bind_contiguous();
              std::ostringstream stream;
              model.module().save(stream);
              return std::move(stream).str();
            }));
  return write_file_atomically(out, bytes);
}

}  // namespace hansa::learning
