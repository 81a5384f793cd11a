// Runs the aggregator's LibTorch work in a child process, hansa-evaluator.
//
// The aggregator itself therefore needs no LibTorch, and a model whose code crashes or uses too much memory cannot stop
// it. The child locks itself before it loads a model (common/sandbox/lock.h); the held-out data is open by then, and
// archives and parameters are passed as open files. common/program_files.h says where the
// program of the child is. internal/protocol.h has the messages.
#pragma once
#include <filesystem>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "common/digest.h"
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
  bool has_training_loss = false;
  bool has_metrics = false;
  std::vector<std::string> metric_names =
      {};  // those of the code of metrics(), as texts that may be anything
};

// Starts a child, requests the archive's layout and values, and ends the child. Fails with `model` if the archive
// cannot be used or changes in the meantime; with `internal`, naming the exit status or signal, if the child dies.
// `personal` is TrainingConfig::personal. The digest is computed in this process; everything else is what the child
// says, which an archive that took it over can choose.
[[nodiscard]] Result<ArchiveFacts> describe_archive_in_child(const std::filesystem::path& archive,
                                                             std::span<const std::string> personal = {});

// Evaluates one model at a time in the background, in one child that is kept. If the child dies, the next request
// starts another one.
//
// Not thread-safe. The thread that uses it must outlive it, because the child is killed when the thread that called
// start() or request() ends.
class BackgroundEvaluator {
 public:
  // statistics: for data with scale = "federation". Fails with `data` or `model` if the data or the archive cannot be used.
  [[nodiscard]] static Result<std::unique_ptr<BackgroundEvaluator>> start(
      const std::filesystem::path& archive, const learning::DataConfig& data, int threads,
      std::span<const std::string> personal = {}, std::span<const float> statistics = {});
  virtual ~BackgroundEvaluator() = default;
  [[nodiscard]] virtual bool busy() const = 0;
  // `parameters` is a file of little-endian float32 in layout order (a store's model file). Must not be called while
  // busy().
  virtual void request(const std::filesystem::path& parameters) = 0;
  // For a poll loop: readable when take() should be called. Negative while there is no child. It changes when request()
  // starts another child.
  [[nodiscard]] virtual int descriptor() const = 0;
  // The answer; empty if there is none yet. Does not block. If the child dies during a request, the answer is the error
  // `internal`; if it dies between requests, there is no answer.
  [[nodiscard]] virtual std::optional<Result<Metrics>> take() = 0;
  // What the operator should know of the answers of take(), once. Empty: nothing.
  [[nodiscard]] virtual std::string take_warning() = 0;
};

}  // namespace hansa::server
