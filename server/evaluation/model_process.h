// LibTorch work for the aggregator, done by a child process (hansa-evaluator).
//
// So the aggregator itself needs no LibTorch, and a crash or a memory blow-up in a model's code
// cannot take it down. The child runs beside this program (common/files.h: program_folder()).
// Wire (internal/wire.h): a JSON object a line each way; vectors pass as files.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/error.h"
#include "common/error.h"
#include "common/page_memory.h"
#include "common/parameter_layout.h"
#include "common/training.h"
#include "learning/data/data_config.h"

namespace hansa::server {

struct ArchiveFacts {
  Digest archive;
  ParameterLayout layout;
  PageVector<float> parameters;
};

// Starts a child, asks for the archive's layout and values, ends the child. Fails (model) if the
// archive cannot be used, (internal) telling the exit status or signal if the child dies of it.
// personal: TrainingConfig::personal.
[[nodiscard]] Result<ArchiveFacts> describe_archive_in_child(const std::filesystem::path& archive,
                                                             std::span<const std::string> personal = {});

// Evaluates in the background, one model at a time, on one child that stays.
// One thread owns it and outlives it: the child dies with the thread that called start() or request().
// A child that dies is started again at the next request.
class BackgroundEvaluator {
 public:
  // Fails (data, model) at once if the data or the archive cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<BackgroundEvaluator>> start(
      const std::filesystem::path& archive, const learning::DataConfig& data, int threads,
      std::span<const std::string> personal = {});
  virtual ~BackgroundEvaluator() = default;
  [[nodiscard]] virtual bool busy() const = 0;
  // A file of little-endian float32 in layout order (a store's model file). Only when not busy().
  virtual void request(const std::filesystem::path& parameters) = 0;
  // Readable when take() should be called: for a poll loop. Below 0 while there is no child; changes when
  // the child is started again, in request().
  [[nodiscard]] virtual int descriptor() const = 0;
  // The answer, if it has come; empty while there is none. Never waits. The child's death is an answer
  // (internal) when a request is under way, and nothing to tell when none is.
  [[nodiscard]] virtual std::optional<Result<Metrics>> take() = 0;
};

}  // namespace hansa::server
