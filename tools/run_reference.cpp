#include "tools/run_reference.h"

#include <charconv>
#include <string>

#include "common/files.h"
#include "common/parameter_layout.h"
#include "server/store/run_folder.h"

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

Result<RunModel> load_run_model(const RunReference& reference) {
  constexpr std::size_t layout_bytes_max = 64 << 20;
  HANSA_TRY(const auto run, server::RunFolder::open_read_only(reference.run));
  HANSA_TRY(const auto position, run->position());
  if (!position)
    return fail(ErrorCode::usage, reference.run.string(), "has no model yet",
                "wait until its first round is committed");
  RunModel out;
  out.archive = run->archive_path();
  out.round = reference.round.value_or(position->round);
  if (out.round == position->round) {
    out.digest = position->model;
  } else if (out.round == RoundId(0)) {
    HANSA_TRY(const auto identity, run->identity());
    if (!identity)
      return fail(ErrorCode::storage, reference.run.string(), "has no record of its initial model");
    out.digest = identity->initial_model;
  } else {
    HANSA_TRY(const auto record, run->round(out.round));
    if (!record)
      return fail(ErrorCode::usage, reference.run.string(), "has no round " + std::to_string(out.round.value),
                  "its last round is " + std::to_string(position->round.value));
    out.digest = record->model;
  }
  HANSA_TRY(const std::string layout_text, read_text_file(run->layout_path(), layout_bytes_max));
  HANSA_TRY(out.layout, ParameterLayout::parse(layout_text, run->layout_path().string()));
  out.parameters.resize(out.layout.element_count());
  HANSA_TRY_VOID(run->get_model(out.digest, out.parameters));
  return out;
}

}  // namespace hansa::tools
