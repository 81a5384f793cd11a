// The frames (common/process/frames.h) between the aggregator and its child process hansa-evaluator: JSON, with values of
// learning/wire/wire.h.
//
//   {"op":"describe","archive":PATH,"personal":[..],"memory_bytes":N} + descriptors of the archive and of shared memory
//                                        -> {"ok":true,"layout_bytes":N,"values":N,"has_training_loss":BOOL,
//                                            "has_metrics":BOOL,"metric_names":[..]}
//     locks the process, and writes the layout's text and the values in the archive into the memory
//   {"op":"open","archive":PATH,"data":{..},"threads":N,"personal":[..]} + the archive's descriptor
//                                        -> {"ok":true}
//     opens the data, locks the process (common/sandbox/lock.h), and loads the archive
//   {"op":"evaluate","parameters":PATH} + descriptor of the file
//                                        -> {"ok":true,"metrics":[{"name":..,"sum":..,"count":..}]}
//   any of them                          -> {"ok":false,"code":..,"location":..,"what":..,"hint":..}
//
// The paths only name the files in errors.
#pragma once
#include <cstddef>

namespace hansa::server::internal {

// In the memory of "describe" the values follow the layout's text.
[[nodiscard]] inline std::size_t values_offset(std::size_t layout_bytes) {
  return (layout_bytes + 63) / 64 * 64;
}

}  // namespace hansa::server::internal
