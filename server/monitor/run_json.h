// Parts of a run as JSON of the HTTP API: `Metrics`, `Round`, `Participant` of openapi.json. Pure.
//
// Names and reasons come from clients: bytes that are not UTF-8 are replaced. A number that is not finite is null.
#pragma once
#include <string>

#include <nlohmann/json_fwd.hpp>

#include "common/training.h"
#include "server/store/store.h"

namespace hansa::server {

// On one line.
[[nodiscard]] std::string text_of(const nlohmann::ordered_json& json);

[[nodiscard]] nlohmann::ordered_json api_metrics(const Metrics& metrics);
[[nodiscard]] nlohmann::ordered_json api_participant(const Participation& participation);

// What of a `Round` never changes after its commit: the text of the object without its closing brace. complete_round()
// adds the rest, so that a server keeps the text of each round instead of the rounds.
[[nodiscard]] std::string round_text(const RoundRecord& record);
struct RoundChanges {
  bool model_kept = true;
  const Metrics* evaluation = nullptr;  // null: there is none
};
[[nodiscard]] std::string complete_round(const std::string& round_text, const RoundChanges& changes);

// A whole `Round`, for the event of its commit.
[[nodiscard]] std::string api_round(const RoundRecord& record, const Metrics* evaluation = nullptr);

}  // namespace hansa::server
