#include "server/store/internal/metrics_lines.h"

#include <algorithm>
#include <string_view>
#include <vector>

#include <fcntl.h>
#include <sys/stat.h>

#include <nlohmann/json.hpp>

#include "common/append_at.h"
#include "common/files.h"
#include "server/store/held_out.h"
#include "server/store/held_out_json.h"
#include "server/store/record_json.h"
#include "server/store/training_metrics.h"

namespace hansa::server::internal {
namespace {

using Json = nlohmann::ordered_json;

constexpr std::size_t file_bytes_max = std::size_t{4} << 30;

// Names come from clients and may hold bytes that are no UTF-8; those are replaced.
std::string dump(const Json& json) { return json.dump(-1, ' ', false, Json::error_handler_t::replace); }

Json means(const Metrics& sums) {
  Json out = Json::object();
  for (const Metric& metric : sums) {
    const double mean = metric.sum / metric.count;  // not finite: dumped as null
    out[metric.name] = mean;
  }
  return out;
}

// False for a line that this file's writer cannot have written.
bool take_line(std::string_view line, MetricsLines::Found& found) {
  const Json json = Json::parse(line, nullptr, false);
  if (!json.is_object()) return false;
  const auto round = json.find("round");
  if (round == json.end() || !round->is_number_unsigned()) return false;
  const auto number = round->get<std::uint64_t>();
  if (number > UINT32_MAX) return false;
  if (json.contains("evaluation")) found.evaluations[static_cast<std::uint32_t>(number)] = std::string(line);
  else found.rounds.insert(static_cast<std::uint32_t>(number));
  return true;
}

// Returns the bytes of all complete lines; 0 if one of them is not a line of this file.
std::size_t take_lines(const std::string& text, MetricsLines::Found& found) {
  found = {};
  std::size_t good = 0;
  for (std::size_t end = text.find('\n'); end != std::string::npos; end = text.find('\n', good)) {
    if (!take_line(std::string_view(text).substr(good, end - good), found)) {
      found = {};
      return 0;
    }
    good = end + 1;
  }
  return good;
}

}  // namespace

std::string round_line(const RoundRecord& record) {
  const std::uint32_t counted = counted_clients(record);
  Json json;
  json["round"] = record.round.value;
  json["model"] = record.model.text();
  json["selected"] = record.participations.size();
  json["counted"] = counted;
  json["lost"] = record.participations.size() - counted;
  json["examples"] = training_examples(record);
  json["seconds"] = record.seconds;
  json["train"] = means(training_metrics(record));
  json["update_norm"] = record.update_norm;  // not a number: dumped as null
  if (const auto measured = held_out(record)) json["held_out"] = held_out_json(*measured);
  if (record.secure) json["secure"] = secure_sum_json(*record.secure);
  return dump(json);
}

std::string evaluation_line(RoundId round, const Metrics& metrics) {
  Json json;
  json["round"] = round.value;
  json["evaluation"] = means(metrics);
  return dump(json);
}

Result<std::optional<RoundId>> newest_round_of(const std::filesystem::path& path) {
  std::error_code ignored;
  if (!std::filesystem::exists(path, ignored)) return std::nullopt;
  HANSA_TRY(const std::string text, read_text_file(path, file_bytes_max));
  MetricsLines::Found found;
  if (take_lines(text, found) == 0) return std::nullopt;
  std::uint32_t newest = 0;
  if (!found.rounds.empty()) newest = *found.rounds.rbegin();
  if (!found.evaluations.empty()) newest = std::max(newest, found.evaluations.rbegin()->first);
  return RoundId{newest};
}

Result<MetricsLines> MetricsLines::open(const std::filesystem::path& path, Found& found) {
  MetricsLines lines;
  lines.path_ = path;
  lines.file_ = Descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644));
  if (!lines.file_) return fail_with_errno(path, "cannot be opened");
  HANSA_TRY(const std::string text, read_text_file(path, file_bytes_max));
  const std::size_t good = take_lines(text, found);
  lines.size_ = static_cast<std::int64_t>(good);
  if (good != text.size() && ::ftruncate(lines.file_.get(), lines.size_) != 0)
    return fail_with_errno(path, "cannot be cut to its last whole line");
  return lines;
}

Result<void> MetricsLines::append(const std::string& line) {
  return append_at(file_, size_, line + "\n", path_);
}

}  // namespace hansa::server::internal
