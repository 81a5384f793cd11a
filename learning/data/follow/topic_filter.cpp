#include "learning/data/follow/topic_filter.h"

#include <mosquitto.h>

namespace hansa::learning::internal {

bool matches_filter(std::string filter, const char* topic) {
  if (filter.starts_with("$share/")) filter.erase(0, filter.find('/', sizeof "$share/" - 1) + 1);
  bool matches = false;
  return mosquitto_topic_matches_sub(filter.c_str(), topic, &matches) == MOSQ_ERR_SUCCESS && matches;
}

std::vector<std::string> filters_of(std::string_view topic) {
  constexpr std::size_t levels_max = 6;
  std::vector<std::string> levels{""};
  for (const char c : topic) {
    if (c == '/' && levels.size() < levels_max) levels.emplace_back();
    else levels.back() += c;
  }
  std::vector<std::string> starts{""}, out;
  for (std::size_t i = 0; i < levels.size(); ++i) {
    std::vector<std::string> longer;
    for (const std::string& start : starts) {
      const std::string before = i == 0 ? "" : start + "/";
      out.push_back(before + "#");
      longer.push_back(before + levels[i]);
      longer.push_back(before + "+");
    }
    starts = std::move(longer);
  }
  out.insert(out.end(), starts.begin(), starts.end());
  return out;
}

}  // namespace hansa::learning::internal
