#include "server/store/round_lines.h"

#include <cmath>
#include <cstddef>
#include <limits>
#include <optional>
#include <string_view>

#include <nlohmann/json.hpp>

#include "common/files.h"

namespace hansa::server {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t file_bytes_max = std::size_t{256} << 20;

// A mean that is not a number is null. Empty: this is no mean.
std::optional<double> mean_of(const Json& json) {
  if (json.is_null()) return std::numeric_limits<double>::quiet_NaN();
  if (!json.is_number()) return std::nullopt;
  return json.get<double>();
}

bool read_training(const Json& line, Metrics& out) {
  const auto means = line.find("train");
  if (means == line.end() || !means->is_object()) return false;
  for (const auto& [name, json] : means->items()) {
    const auto mean = mean_of(json);
    if (!mean) return false;
    out.push_back({name, *mean, 1});
  }
  return true;
}

// "held_out":{"of_round":6,"loss":{"mean":0.5,...}}
bool read_held_out(const Json& line, RoundMeans& out) {
  const auto measured = line.find("held_out");
  if (measured == line.end()) return true;
  if (!measured->is_object()) return false;
  for (const auto& [name, json] : measured->items()) {
    if (name == "of_round") {
      if (!json.is_number_unsigned() || json.get<std::uint64_t>() >= out.round.value) return false;
      out.held_out_of = RoundId(json.get<std::uint32_t>());
      continue;
    }
    const auto mean = json.is_object() && json.contains("mean") ? mean_of(json["mean"]) : std::nullopt;
    if (!mean) return false;
    out.held_out.push_back({name, *mean, 1});
  }
  return true;
}

}  // namespace

std::vector<RoundLine> read_round_lines(const std::filesystem::path& file) {
  std::vector<RoundLine> out;
  const auto text = read_text_file(file, file_bytes_max);
  if (!text) return out;
  std::size_t begin = 0;
  for (std::size_t end = text->find('\n'); end != std::string::npos; end = text->find('\n', begin)) {
    const std::string_view bytes = std::string_view(*text).substr(begin, end - begin);
    begin = end + 1;
    const Json line = Json::parse(bytes, nullptr, /*allow_exceptions=*/false);
    if (!line.is_object()) return out;
    if (line.contains("evaluation")) continue;
    const auto round = line.find("round");
    if (round == line.end() || !round->is_number_unsigned()) return out;
    const auto number = round->get<std::uint64_t>();
    if (number <= out.size()) continue;  // written again after a crash
    if (number != out.size() + 1) return out;
    const auto model = line.find("model");
    if (model == line.end() || !model->is_string()) return out;
    RoundMeans means;
    means.round = RoundId(static_cast<std::uint32_t>(number));
    if (!read_training(line, means.training) || !read_held_out(line, means)) return out;
    out.push_back({std::move(means), model->get<std::string>()});
  }
  return out;
}

}  // namespace hansa::server
