// [statistics]: mean and deviation of the clients' inputs.
#pragma once
#include <array>

#include "common/column_statistics.h"
#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array statistics_settings{
    config::Setting{
        .key = "columns",
        .kind = config::Kind::integer,
        .presence = config::Presence::required,
        .meaning =
            "Number of columns of every client's float32 inputs: of `csv` the columns, of images and sound "
            "the channels, in general the first dimension of each input. A client with another number of "
            "columns takes no part, and its log has the number.",
        .unit = "columns",
        .range = {.least = 1, .most = double{statistics_columns_max}},
        .example = "30"},
    config::Setting{.key = "version",
                    .kind = config::Kind::integer,
                    .presence = config::Presence::defaulted,
                    .default_value = "1",
                    .meaning = "Another number begins a new run with new statistics. With the same one a new "
                               "run takes over those of "
                               "the newest run, without asking the clients again.",
                    .range = {.least = 1, .most = 1'000'000},
                    .example = "2"},
};

}  // namespace hansa::server::internal
