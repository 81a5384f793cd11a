// The position of a followed file as text, and back.
#include <span>
#include <stdexcept>
#include <string>

#include <nlohmann/json.hpp>

#include "common/hex.h"
#include "learning/data/follow/tail_feed.h"

namespace hansa::learning::internal {
namespace {

using nlohmann::json;

// Names need not be UTF-8, which JSON is.
std::string hex_of(const std::string& text) {
  return to_hex(std::span(reinterpret_cast<const std::uint8_t*>(text.data()), text.size()));
}

json hex_of(const std::vector<std::string>& texts) {
  json out = json::array();
  for (const std::string& text : texts) out.push_back(hex_of(text));
  return out;
}

// Throws std::exception if it is not such a text.
std::string text_of(const json& hex) {
  const auto digits = hex.get<std::string>();
  std::string out(digits.size() / 2, '\0');
  if (!from_hex(digits, std::span(reinterpret_cast<std::uint8_t*>(out.data()), out.size())))
    throw std::invalid_argument("no hex digits");
  return out;
}

}  // namespace

std::string TailFeed::position_text(const State& state) const {
  json out{{"device", state.file.device},
           {"inode", state.file.inode},
           {"born", state.file.born_ns},
           {"offset", state.at.offset},
           {"line", state.at.line},
           {"header_hex", hex_of(state.header)},
           {"header_before_hex", hex_of(state.header_before)},
           {"columns_hex", hex_of(state.columns)},
           {"prefix", state.prefix.json()},
           {"modified", state.modified_ns}};
  if (state.examples) out["carry"] = state.examples->carry();
  return out.dump(-1, ' ', false, json::error_handler_t::replace);
}

// False: the text is not a position.
Result<bool> TailFeed::restore(const std::string& position) {
  const json kept = json::parse(position, nullptr, false);
  if (!kept.is_object()) return false;
  try {
    state_ = State{};
    state_.is_stored = true;
    state_.file = {kept.at("device").get<std::uint64_t>(), kept.at("inode").get<std::uint64_t>(),
                   kept.value("born", std::int64_t{0})};
    state_.at = {kept.at("offset").get<std::uint64_t>(), kept.at("line").get<std::uint64_t>()};
    // An earlier version stored the header as text, and nothing else.
    state_.header =
        kept.contains("header_hex") ? text_of(kept.at("header_hex")) : kept.at("header").get<std::string>();
    if (kept.contains("header_before_hex")) state_.header_before = text_of(kept.at("header_before_hex"));
    if (kept.contains("columns_hex"))
      for (const json& name : kept.at("columns_hex")) state_.columns.push_back(text_of(name));
    state_.modified_ns = kept.value("modified", std::int64_t{0});
    if (kept.contains("prefix")) {
      const auto prefix = FilePrefix::from(kept.at("prefix"));
      if (!prefix) return false;
      state_.prefix = *prefix;
    } else {
      const auto before = kept.at("before").get<std::string>();
      state_.before.emplace();
      *state_.before = text_of(json(before));
    }
    if (state_.header.empty()) return state_.at.offset == 0;
    HANSA_TRY(const CsvRowReader rows, row_reader(state_));
    if (state_.columns.empty() && data_.columns.empty()) state_.columns = rows.input_names();
    state_.examples.emplace(data_, rows.input_count());
    return state_.examples->restore(kept.at("carry"));
  } catch (const std::exception&) {  // of json or text_of
    return false;
  }
}

}  // namespace hansa::learning::internal
