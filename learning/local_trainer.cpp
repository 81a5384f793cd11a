#include "learning/local_trainer.h"

#include "learning/internal/loaded_model.h"
#include "learning/internal/model_trainer.h"

namespace hansa::learning {

std::unique_ptr<Trainer> make_local_trainer(const LocalTrainerConfig& config) {
  return make_model_trainer(config,
                            [](const ArchiveFile& archive,
                               std::span<const std::string> personal) -> Result<std::unique_ptr<Model>> {
                              HANSA_TRY(LoadedModel model, LoadedModel::open(archive, personal));
                              return std::make_unique<LoadedModel>(std::move(model));
                            });
}

}  // namespace hansa::learning
