// "RUN" or "RUN@ROUND" on the command line: a run folder, and one of its committed models. Or a client's state folder,
// with the newest model that the client wrote for programs of its device.
#pragma once
#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "common/digest.h"
#include "common/error.h"
#include "common/identifiers.h"
#include "common/parameter_layout.h"

namespace hansa::tools {

struct RunReference {
  std::filesystem::path run;  // the folder
  std::optional<RoundId> round;  // empty: the last committed round
};
// A folder whose name contains '@' is used if it exists. Fails (usage) if the text after '@' is not a round.
[[nodiscard]] Result<RunReference> parse_run_reference(std::string_view text);

// The files that a client wrote: docs/models.md.
struct ServedModel {
  std::filesystem::path global;  // an archive with its values
  std::optional<std::filesystem::path> personal;
  std::string round;  // as its manifest says
  std::string digest;
};
enum class ServedKind : std::uint8_t { global, personal };
// The file of that kind. Fails (usage) if the device keeps no personal parameters.
[[nodiscard]] Result<std::filesystem::path> file_of(const ServedModel& served, ServedKind kind);

// The model of a client's state folder, or of its serving folder. Empty: the folder is neither. Fails (usage) if it is
// one, and has no model, (storage) if the manifest cannot be read.
[[nodiscard]] Result<std::optional<ServedModel>> find_served_model(const std::filesystem::path& folder);

struct RunModel {
  RoundId round;
  Digest digest;
  std::filesystem::path archive;  // the run's archive; the parameters have its layout
  std::vector<float> parameters;
  std::vector<float>
      statistics;  // of the clients' data, for learning::make_evaluator(); empty: the run has none
  ParameterLayout layout;  // layout of the parameters, without the run's personal parameters
};
// Fails (usage) if the round is not committed, naming the last committed one.
[[nodiscard]] Result<RunModel> load_run_model(const RunReference& reference);

}  // namespace hansa::tools
