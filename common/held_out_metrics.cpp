#include "common/held_out_metrics.h"

#include <algorithm>
#include <cassert>
#include <cmath>
#include <limits>

namespace hansa {
namespace {

constexpr std::size_t loss_bins = 32, accuracy_bins = 20;
constexpr double first_exponent = -5, bins_per_octave = 2;

// The upper end of a loss bin that has one.
double loss_end(std::size_t bin) {
  return std::exp2(first_exponent + static_cast<double>(bin) / bins_per_octave);
}

}  // namespace

bool is_own_metric_name(std::string_view name) {
  constexpr std::array<std::string_view, 3> reserved{"loss", "accuracy", "of_round"};
  const auto allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
  };
  return !name.empty() && name.size() <= own_metric_bytes_max && std::ranges::all_of(name, allowed) &&
         std::ranges::find(reserved, name) == reserved.end();
}

bool is_own_metric(std::string_view name) {
  for (const std::string_view prefix : {held_out_own, held_out_personal_own})
    if (name.starts_with(prefix)) return is_own_metric_name(name.substr(prefix.size()));
  return false;
}

bool is_held_out_metric(std::string_view name) {
  return is_own_metric(name) || std::ranges::find(held_out_names, name) != held_out_names.end();
}

bool is_of_held_out(std::string_view name) {
  return is_own_metric(name) || is_held_out_metric(name.substr(0, name.find('.')));
}

bool is_loss(std::string_view held_out_name) {
  return held_out_name == held_out_loss || held_out_name == held_out_personal_loss;
}

bool is_possible(const Metric& held_out) {
  // Written so that NaN is not.
  if (!(held_out.count >= 1 && held_out.count <= 0x1p53)) return false;
  if (is_loss(held_out.name) || is_own_metric(held_out.name))
    return std::abs(held_out.sum) <= held_out_loss_most * held_out.count;
  return held_out.sum >= 0 && held_out.sum <= held_out.count;
}

std::size_t held_out_bins(std::string_view held_out_name) {
  if (is_own_metric(held_out_name)) return 0;
  return is_loss(held_out_name) ? loss_bins : accuracy_bins;
}

Interval held_out_bin(std::string_view held_out_name, std::size_t bin) {
  assert(bin < held_out_bins(held_out_name));
  const auto at = static_cast<double>(bin);
  if (!is_loss(held_out_name)) return {at / accuracy_bins, (at + 1) / accuracy_bins};
  constexpr double infinity = std::numeric_limits<double>::infinity();
  return {bin == 0 ? -infinity : loss_end(bin - 1), bin == loss_bins - 1 ? infinity : loss_end(bin)};
}

std::size_t held_out_bin_of(std::string_view held_out_name, double mean) {
  const std::size_t bins = held_out_bins(held_out_name);
  std::size_t bin = 0;
  while (bin + 1 < bins && !(mean < held_out_bin(held_out_name, bin).most)) ++bin;
  return bin;
}

std::string held_out_bin_name(std::string_view held_out_name, std::size_t bin) {
  return std::string(held_out_name) + (bin < 10 ? ".0" : ".") + std::to_string(bin);
}

void append_held_out_bins(Metrics& metrics) {
  const std::size_t given = metrics.size();
  for (std::size_t i = 0; i < given; ++i) {
    const Metric metric = metrics[i];  // a copy, because the list grows
    if (!is_held_out_metric(metric.name) || is_own_metric(metric.name) || !is_possible(metric)) continue;
    const std::size_t own = held_out_bin_of(metric.name, metric.sum / metric.count);
    for (std::size_t bin = 0; bin < held_out_bins(metric.name); ++bin)
      metrics.push_back({held_out_bin_name(metric.name, bin), bin == own ? 1.0 : 0.0, 1});
  }
}

std::vector<std::string> held_out_metric_names(PersonalModel personal, std::span<const std::string> own) {
  std::vector<std::string> out{std::string(held_out_loss), std::string(held_out_accuracy)};
  for (const std::string& name : own) out.push_back(std::string(held_out_own) + name);
  if (personal == PersonalModel::absent) return out;
  out.emplace_back(held_out_personal_loss);
  out.emplace_back(held_out_personal_accuracy);
  for (const std::string& name : own) out.push_back(std::string(held_out_personal_own) + name);
  return out;
}

std::vector<std::string> held_out_sum_names(PersonalModel personal, std::span<const std::string> own) {
  std::vector<std::string> out;
  for (std::string& name : held_out_metric_names(personal, own)) {
    const std::size_t bins = held_out_bins(name);
    out.push_back(std::move(name));
    const std::string of = out.back();
    for (std::size_t bin = 0; bin < bins; ++bin) out.push_back(held_out_bin_name(of, bin));
  }
  return out;
}

}  // namespace hansa
