#include "server/store/round_model.h"

#include <string>

namespace hansa::server {
namespace {

// "0, 10, 20 and 23"; only the first and the last ones if there are many.
Result<std::string> kept_rounds_text(Run& run) {
  constexpr std::size_t first_shown = 6, last_shown = 3;
  HANSA_TRY(const auto records, run.rounds());
  std::vector<std::string> kept{"0"};
  for (const RoundRecord& record : records)
    if (record.model_kept) kept.push_back(std::to_string(record.round.value));
  std::string out;
  for (std::size_t i = 0; i < kept.size(); ++i) {
    if (i == first_shown && kept.size() > first_shown + last_shown) {
      out += ", ...";
      i = kept.size() - last_shown;
    }
    if (i > 0) out += i + 1 == kept.size() ? " and " : ", ";
    out += kept[i];
  }
  return out;
}

}  // namespace

Result<RoundModel> find_round_model(Run& run, std::optional<RoundId> round) {
  HANSA_TRY(const auto identity, run.identity());
  HANSA_TRY(const auto position, run.position());
  if (!identity || !position)
    return fail(ErrorCode::usage, run.location(), "has no model yet",
                "wait until its first round is committed");
  const RoundId wanted = round.value_or(position->round);
  if (wanted == RoundId(0)) return RoundModel{wanted, identity->initial_model, identity->initial_state};
  HANSA_TRY(auto record, run.round(wanted));
  if (!record)
    return fail(ErrorCode::usage, run.location(), "has no round " + std::to_string(wanted.value),
                "its last round is " + std::to_string(position->round.value));
  if (!record->model_kept) {
    HANSA_TRY(const std::string kept, kept_rounds_text(run));
    return fail(
        ErrorCode::usage, run.location(),
        "no longer holds the model of round " + std::to_string(wanted.value) + ", which [store] keep removed",
        "it holds the models of rounds " + kept);
  }
  return RoundModel{wanted, record->model, std::move(record->state)};
}

}  // namespace hansa::server
