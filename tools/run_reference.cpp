#include "tools/run_reference.h"

#include <charconv>
#include <string>

#include "server/store/round_model.h"
#include "server/store/run_catalogue.h"

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
  HANSA_TRY(const auto run, server::open_run_read_only(reference.run));
  HANSA_TRY(const auto found, server::find_round_model(*run, reference.round));
  RunModel out;
  out.round = found.round;
  out.digest = found.model;
  HANSA_TRY(out.archive, run->archive_file());
  HANSA_TRY(out.layout, run->layout());
  out.parameters.resize(out.layout.element_count());
  HANSA_TRY_VOID(run->get_model(out.digest, out.parameters));
  return out;
}

}  // namespace hansa::tools
