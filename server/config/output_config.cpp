#include "server/config/output_config.h"

#include "common/config/document.h"
#include "server/config/federation_schema.h"

namespace hansa::server {

Result<OutputConfig> read_output_config(const std::filesystem::path& file,
                                        const config::Variables& variables) {
  HANSA_TRY(const auto document, config::Document::read(file, federation_schema(), variables));
  OutputConfig out;
  if (document.has("output.tensorboard")) out.tensorboard = document.path("output.tensorboard");
  return out;
}

}  // namespace hansa::server
