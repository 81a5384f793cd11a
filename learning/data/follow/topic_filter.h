// Topic filters of MQTT (3.1.1, section 4.7). Pure functions.
#pragma once
#include <string>
#include <string_view>
#include <vector>

namespace hansa::learning::internal {

// Whether messages of the topic are for a subscription with the filter, which may be shared ("$share/GROUP/FILTER").
[[nodiscard]] bool matches_filter(std::string filter, const char* topic);

// Every filter that matches the topic: the topic itself, and those with + for some levels or # for the last ones. Of a topic
// with many levels only the first levels are varied.
[[nodiscard]] std::vector<std::string> filters_of(std::string_view topic);

}  // namespace hansa::learning::internal
