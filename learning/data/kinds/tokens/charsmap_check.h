// Checks the table with which a SentencePiece model normalises text (ModelProto.normalizer_spec.precompiled_charsmap).
//
// The library walks this table, a double-array trie, without looking at its size: the offsets in a damaged file would
// make it read outside of its memory. Format: sentencepiece src/normalizer.cc, DecodePrecompiledCharsMap(); darts-clone
// darts.h, DoubleArrayUnit. Pure functions.
#pragma once
#include <string_view>

namespace hansa::learning::kinds {

// Whether every step through the trie stays inside it, and every replacement that it names is a text with an end. True
// also if the model has no such table. model: a serialised ModelProto.
[[nodiscard]] bool has_valid_charsmap(std::string_view model);

}  // namespace hansa::learning::kinds
