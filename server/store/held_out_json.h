// The JSON form of what clients measured on the examples that they hold out, in metrics.jsonl and in commands:
//   {"of_round":6,"loss":{"mean":0.5,"examples":120,"clients":10,"worst":0.9,"quartiles":[0.4,0.5,0.7],
//    "mean_of_clients":0.52,"worst_tenth":0.9}}
// A value of a secure sum is an interval, [0.5,0.7]; an end that it does not have is null. Without a spread there are no
// "clients" and what follows it.
#pragma once
#include <nlohmann/json.hpp>

#include "server/store/held_out.h"

namespace hansa::server {

[[nodiscard]] nlohmann::ordered_json held_out_json(const HeldOut& measured);

}  // namespace hansa::server
