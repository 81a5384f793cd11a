// The folder in which programs of this device find the newest model: docs/models.md.
//
//   global.pt      the global model
//   personal.pt    the same with this device's personal parameters, or its own model; only if the federation has any
//   manifest.json  written last: run, round, digests
//
// Each file is replaced atomically, so that a reader sees the old one or the new one. A reader that needs a file and the
// manifest together compares the file's SHA-256.
#pragma once
#include <filesystem>
#include <string>
#include <utility>

#include "client/engine/ports.h"
#include "common/error.h"
#include "common/training.h"
#include "learning/model_saver.h"

namespace hansa::client {

class ServingFolder {
 public:
  // Creates the folder, removes what a crash left there unfinished, and writes the pointer to it. Fails (storage).
  [[nodiscard]] static Result<ServingFolder> open(const std::filesystem::path& folder,
                                                  const std::filesystem::path& state, std::string federation);
  // trained: the metrics of this device's training that began with the model; empty if they are not known. Fails
  // (storage), or as the saver does; then the files before stay, or some of them are new already.
  [[nodiscard]] Result<void> write(const ModelToServe& model, const Metrics& trained,
                                   learning::ModelSaver& saver, const std::stop_token& stop) const;

 private:
  ServingFolder(std::filesystem::path folder, std::string federation)
      : folder_(std::move(folder)), federation_(std::move(federation)) {}

  std::filesystem::path folder_;
  std::string federation_;
};

}  // namespace hansa::client
