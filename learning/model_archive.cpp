#include "learning/model_archive.h"

#include <fstream>
#include <sstream>

#include "common/files.h"
#include "learning/internal/loaded_model.h"
#include "learning/internal/torch_guard.h"

namespace hansa::learning {
namespace {

Result<Digest> digest_of_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  std::vector<char> buffer(std::size_t{1} << 20);
  Sha256 hash;
  while (in) {
    in.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
    hash.update(std::as_bytes(std::span(buffer).first(static_cast<std::size_t>(in.gcount()))));
  }
  if (!in.eof())
    return fail(ErrorCode::model, path.string(), "cannot be read", "check that this user may read it");
  return hash.finish();
}

}  // namespace

Result<ModelDescription> describe_archive(const std::filesystem::path& archive) {
  HANSA_TRY(const LoadedModel model, LoadedModel::open(archive));
  ModelDescription out;
  HANSA_TRY(out.archive, digest_of_file(archive));
  out.layout = model.layout();
  out.parameters.resize(model.layout().element_count());
  model.extract(out.parameters);
  out.has_training_loss = model.traits().has_training_loss;
  out.has_metrics = model.traits().has_metrics;
  return out;
}

Result<void> save_with_parameters(const std::filesystem::path& archive, std::span<const float> parameters,
                                  const std::filesystem::path& out) {
  HANSA_TRY(LoadedModel model, LoadedModel::open(archive));
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
