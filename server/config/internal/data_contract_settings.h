// [data_contract]: what the data of every client must be (common/data_contract.h).
#pragma once
#include <array>
#include <string_view>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array<std::string_view, 3> contract_targets{"class", "real", "none"};
inline constexpr std::array<std::string_view, 5> contract_types{"float32", "uint8", "int32", "int64",
                                                                "boolean"};

inline constexpr std::array data_contract_settings{
    config::Setting{.key = "columns",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning = "Names of the input columns, in the order in which the model takes them.",
                    .range = {.least = 1, .most = 256},
                    .example = "[\"age\", \"bmi\"]"},
    config::Setting{
        .key = "units",
        .kind = config::Kind::texts,
        .presence = config::Presence::optional,
        .meaning = "The unit of each column, for people: clients cannot compare units, and print them.",
        .range = {.least = 1, .most = 256},
        .example = "[\"years\", \"kg/m2\"]"},
    config::Setting{.key = "label",
                    .presence = config::Presence::optional,
                    .meaning = "Name of the column that is predicted.",
                    .range = {.least = 1, .most = 256},
                    .example = "\"outcome\""},
    config::Setting{.key = "target",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning = "What the label is.",
                    .choices = contract_targets,
                    .example = "\"class\""},
    config::Setting{.key = "classes",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning = "The clients' `data.classes`; the first is class 0.",
                    .range = {.least = 1, .most = 256},
                    .example = "[\"home\", \"ward\"]"},
    config::Setting{.key = "dtype",
                    .kind = config::Kind::choice,
                    .presence = config::Presence::optional,
                    .meaning = "Type of the inputs.",
                    .choices = contract_types,
                    .example = "\"float32\""},
    config::Setting{
        .key = "shape",
        .kind = config::Kind::numbers,
        .presence = config::Presence::optional,
        .meaning = "Shape of the input of one example: `[columns]` of csv, `[columns, window]` of windows.",
        .range = {.least = 1, .most = 1'099'511'627'776},
        .example = "[2]"},
    config::Setting{.key = "inputs",
                    .kind = config::Kind::texts,
                    .presence = config::Presence::optional,
                    .meaning =
                        "The inputs of an example that has several, each with its name, type and shape, in "
                        "any order.",
                    .range = {.least = 1, .most = 256},
                    .example = "[\"image: float32 [3, 32, 32]\", \"age: float32 [1]\"]"},
    config::Setting{
        .key = "minimum",
        .kind = config::Kind::numbers,
        .presence = config::Presence::optional,
        .meaning = "Smallest value of each column, before `data.scale`; `-inf` for no limit. A client with "
                   "smaller ones warns in its own log, and trains.",
        .example = "[0, 10]"},
    config::Setting{.key = "maximum",
                    .kind = config::Kind::numbers,
                    .presence = config::Presence::optional,
                    .meaning = "Largest value of each column; `inf` for no limit.",
                    .example = "[130, 80]"},
};

}  // namespace hansa::server::internal
