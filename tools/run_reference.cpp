#include "tools/run_reference.h"

#include <charconv>
#include <string>

#include <nlohmann/json.hpp>

#include "client/config/serving_files.h"
#include "common/files.h"
#include "server/store/round_model.h"
#include "server/store/run_catalogue.h"
#include "server/store/run_statistics.h"

namespace hansa::tools {

Result<RunReference> parse_run_reference(std::string_view text) {
  const std::size_t at = text.rfind('@');
  std::error_code error;
  if (at == std::string_view::npos || std::filesystem::is_directory(text, error))
    return RunReference{text, {}};
  const std::string_view number = text.substr(at + 1);
  std::uint32_t round = 0;
  const auto [end, code] = std::from_chars(number.data(), number.data() + number.size(), round);
  if (code != std::errc() || end != number.data() + number.size() || number.empty())
    return fail(ErrorCode::usage, std::string(text), "\"" + std::string(number) + "\" is not a round",
                "for example " + std::string(text.substr(0, at)) + "@20");
  return RunReference{text.substr(0, at), RoundId(round)};
}

Result<std::optional<ServedModel>> find_served_model(const std::filesystem::path& folder) {
  constexpr std::size_t bytes_max = 1 << 20;
  std::error_code error;
  const bool is_state = std::filesystem::is_regular_file(folder / client::serving_pointer, error);
  if (!is_state && !std::filesystem::is_regular_file(folder / client::manifest_file, error)) {
    if (!std::filesystem::is_directory(folder / "archives", error)) return std::nullopt;
    return fail(ErrorCode::usage, folder.string(), "is a client's state without a model for its device",
                "set [serving] write in client.toml to \"each_round\" or \"end\", and start the client");
  }
  std::filesystem::path serving = folder;
  if (is_state) {
    HANSA_TRY(std::string path, read_text_file(folder / client::serving_pointer, bytes_max));
    while (path.ends_with('\n')) path.pop_back();
    serving = path;
  }
  const std::filesystem::path file = serving / client::manifest_file;
  if (!std::filesystem::is_regular_file(file, error))
    return fail(ErrorCode::usage, serving.string(), "has no model yet",
                "the client writes it when all rounds are done; with [serving] write = \"each_round\" in "
                "client.toml also before");
  HANSA_TRY(const std::string text, read_text_file(file, bytes_max));
  const auto manifest = nlohmann::json::parse(text, nullptr, /*allow_exceptions=*/false);
  if (!manifest.is_object() || !manifest.contains("global"))
    return fail(ErrorCode::storage, file.string(), "is not a manifest", "the client writes it again");
  ServedModel out{serving / client::global_model_file, {}, {}, {}};
  if (manifest.contains("personal")) out.personal = serving / client::personal_model_file;
  if (manifest.contains("round")) out.round = manifest["round"].dump();
  if (manifest.contains("model") && manifest["model"].is_string())
    out.digest = manifest["model"].get<std::string>();
  return out;
}

Result<std::filesystem::path> file_of(const ServedModel& served, ServedKind kind) {
  if (kind == ServedKind::global) return served.global;
  if (served.personal) return *served.personal;
  return fail(ErrorCode::usage, served.global.parent_path().string(), "holds no personal model",
              "leave --personal out: this federation has no [model] personal");
}

Result<RunModel> load_run_model(const RunReference& reference) {
  HANSA_TRY(const auto run, server::open_run_read_only(reference.run));
  HANSA_TRY(const auto found, server::find_round_model(*run, reference.round));
  RunModel out;
  out.round = found.round;
  out.digest = found.model;
  HANSA_TRY(out.archive, run->archive_file());
  HANSA_TRY(out.layout, run->layout());
  out.parameters.resize(out.layout.element_count());
  HANSA_TRY_VOID(run->get_model(out.digest, out.parameters));
  HANSA_TRY(auto statistics, server::read_statistics(*run));
  if (statistics) out.statistics = std::move(statistics->vector);
  return out;
}

}  // namespace hansa::tools
