// The names of the files in which a client leaves the newest model for programs of its device: docs/models.md.
#pragma once

namespace hansa::client {

inline constexpr const char* global_model_file = "global.pt";
inline constexpr const char* personal_model_file = "personal.pt";
inline constexpr const char* manifest_file = "manifest.json";
// In the state folder: the path of the serving folder, for `hansa evaluate STATE`.
inline constexpr const char* serving_pointer = "serving-folder";

}  // namespace hansa::client
