#include "learning/model_saver.h"

#include <vector>

#include "learning/methods/kept_values.h"

namespace hansa::learning {

Result<WrittenFile> save_at_places(const TrainingRequest& request, PersonalValues personal,
                                   const ValuePlaces& places, const std::filesystem::path& out,
                                   const std::stop_token& stop) {
  const PlacedLayout& shared = places.shared;
  if (shared.layout.digest() != request.layout || request.inputs.empty() ||
      request.inputs.front().values.size() != shared.layout.element_count())
    return fail(ErrorCode::model, request.archive.location(), "has another layout than the values",
                "run the same version of Hansa and of LibTorch on both sides");
  std::vector<PlacedValues> parts{{&shared, request.inputs.front().values}};
  // Of another method there is none for this layout.
  if (personal == PersonalValues::kept)
    if (const auto own = find_kept_values(request.kept, personal_model_vector, shared.layout); !own.empty())
      parts.front().values = own;
  const auto kept = request.kept.find(personal_vector_name(places.personal.layout));
  if (personal == PersonalValues::kept && kept != request.kept.end() &&
      kept->second.values().size() == places.personal.layout.element_count())
    parts.push_back({&places.personal, kept->second.values()});
  return write_archive_with_values(request.archive, parts, out, stop);
}

}  // namespace hansa::learning
