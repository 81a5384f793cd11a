#include "learning/model_copy.h"

#include <sstream>

#include "learning/internal/loaded_model.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {

Result<std::string> archive_with_values(const TrainingRequest& request, std::span<const std::string> patterns,
                                        PersonalValues personal) {
  HANSA_TRY(LoadedModel model, LoadedModel::open(request.archive, patterns));
  const std::string location = request.archive.location();
  if (model.layout().digest() != request.layout || request.inputs.empty() ||
      request.inputs.front().values.size() != model.layout().element_count())
    return fail(ErrorCode::model, location, "has another layout than the values", model.other_layout_hint());
  return guarded(location, "cannot be saved", "", [&]() -> Result<std::string> {
    model.assign(request.inputs.front().values);
    const auto kept = request.kept.find(personal_vector_name(model.personal_layout()));
    if (personal == PersonalValues::kept && kept != request.kept.end() &&
        kept->second.values().size() == model.personal_layout().element_count())
      model.assign_personal(kept->second.values());
    model.bind_contiguous();
    std::ostringstream stream;
    model.module().save(stream);
    return std::move(stream).str();
  });
}

}  // namespace hansa::learning
