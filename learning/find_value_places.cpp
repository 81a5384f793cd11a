#include "learning/find_value_places.h"

#include "learning/internal/loaded_model.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {

Result<ValuePlaces> find_value_places(const ArchiveFile& archive, std::span<const std::string> patterns) {
  HANSA_TRY(const LoadedModel model, LoadedModel::read(archive, patterns));
  return guarded(archive.location(), "cannot be saved", "", [&] { return model.places(); });
}

}  // namespace hansa::learning
