// [output]: files that the aggregator writes for other tools while it runs.
#pragma once
#include <array>

#include "common/config/schema.h"

namespace hansa::server::internal {

inline constexpr std::array output_settings{
    config::Setting{
        .key = "tensorboard",
        .kind = config::Kind::path,
        .presence = config::Presence::optional,
        .meaning =
            "Folder for TensorBoard's event files, in a folder for each run: `tensorboard --logdir` "
            "shows "
            "them. Left out: none is written. A folder that cannot be written is a warning, and never stops "
            "a round. `hansa simulate` writes none: `hansa export-metrics` does afterwards.",
        .example = "\"tensorboard\""},
};

}  // namespace hansa::server::internal
