#include "server/store/internal/identity.h"

#include "common/vector_digest.h"

namespace hansa::server::internal {
namespace {

Result<void> require_same(const char* what, const std::string& kept, const std::string& given,
                          const std::string& place) {
  if (kept == given) return {};
  return fail(ErrorCode::usage, place,
              std::string("was started with ") + what + " \"" + kept + "\", and now it is \"" + given + "\"",
              "set it back, or start a new run");
}

}  // namespace

Result<void> require_same_identity(const RunIdentity& kept, const RunIdentity& given,
                                   const std::string& place) {
  HANSA_TRY_VOID(require_same("the federation", kept.federation, given.federation, place));
  HANSA_TRY_VOID(require_same("the run's name", kept.run, given.run, place));
  HANSA_TRY_VOID(require_same("the seed", std::to_string(kept.seed), std::to_string(given.seed), place));
  HANSA_TRY_VOID(require_same("the model archive", kept.archive.text(), given.archive.text(), place));
  HANSA_TRY_VOID(require_same("the parameter layout", kept.layout.text(), given.layout.text(), place));
  HANSA_TRY_VOID(
      require_same("the initial model", kept.initial_model.text(), given.initial_model.text(), place));
  if (kept.kind != given.kind)
    return fail(ErrorCode::usage, place,
                kept.kind == RunKind::simulated ? "is a simulated run" : "is not a simulated run");
  return require_same("the starting point", kept.started_from, given.started_from, place);
}

Result<void> require_initial_model(const RunIdentity& identity, std::span<const float> initial_model,
                                   const std::string& place) {
  const Digest digest = vector_digest(initial_model);
  if (digest == identity.initial_model) return {};
  return fail(ErrorCode::model, place,
              "was given an initial model " + digest.brief() + ", which is not the announced " +
                  identity.initial_model.brief());
}

Result<void> require_next_round(RoundId round, RoundId last, const std::string& place) {
  if (round.value == last.value + 1) return {};
  return fail(
      ErrorCode::storage, place,
      "cannot commit round " + std::to_string(round.value) + " after round " + std::to_string(last.value));
}

Result<void> require_committed_round(RoundId round, RoundId last, const std::string& place) {
  if (round <= last) return {};
  return fail(ErrorCode::storage, place, "has not committed round " + std::to_string(round.value) + " yet");
}

tl::unexpected<Error> fail_not_begun(const std::string& place) {
  return fail(ErrorCode::storage, place, "holds no run yet");
}

}  // namespace hansa::server::internal
