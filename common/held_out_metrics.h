// The metrics that a client measures on the examples that it holds out: their names, their limits, and the bins by which
// a secure sum shows how they spread over the clients.
//
// The list is fixed, but for the names that the operator signed with the model (ModelApproval::metrics; of a client that trains
// unapproved archives, those that the task gives): neither a task
// nor a model's code can choose what a client sends. In a secure sum each bin is a metric of its own: a client whose mean
// is in the bin has the sum 1, the others that held examples out have the sum 0, and all of them have the count 1. The
// model's own metrics have no bins, because their range is not known. Pure functions.
#pragma once
#include <array>
#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "common/training.h"

namespace hansa {

// Of the global model, then of the model with the device's personal parameters.
inline constexpr std::string_view held_out_loss = "held_out_loss";
inline constexpr std::string_view held_out_accuracy = "held_out_accuracy";
inline constexpr std::string_view held_out_personal_loss = "held_out_personal_loss";
inline constexpr std::string_view held_out_personal_accuracy = "held_out_personal_accuracy";
inline constexpr std::array held_out_names{held_out_loss, held_out_accuracy, held_out_personal_loss,
                                           held_out_personal_accuracy};

// Before the name of a metric of the model's own: "held_out_own.auc". Of the global model, then of the personal one.
inline constexpr std::string_view held_out_own = "held_out_own.";
inline constexpr std::string_view held_out_personal_own = "held_out_personal_own.";

// The largest magnitude of a mean loss and of an own metric. A loss that is larger, or is not a number, is reported as
// this one.
inline constexpr double held_out_loss_most = 1e9;

inline constexpr std::size_t own_metric_bytes_max = 32;

// Whether a model's own metric can have this name: 1 to own_metric_bytes_max letters, digits, '-' and '_', and not "loss",
// "accuracy" or "of_round", which stand for something else where metrics are listed.
[[nodiscard]] bool is_own_metric_name(std::string_view name);
// Whether it is such a name with its prefix.
[[nodiscard]] bool is_own_metric(std::string_view name);
// Whether it is one of held_out_names or the name of an own metric.
[[nodiscard]] bool is_held_out_metric(std::string_view name);
// Whether it is one of them or a bin's name.
[[nodiscard]] bool is_of_held_out(std::string_view name);
// Whether it is one of held_out_names whose larger values are worse.
[[nodiscard]] bool is_loss(std::string_view held_out_name);
// Whether sums over this many examples are possible.
[[nodiscard]] bool is_possible(const Metric& held_out);

// From `least` to below `most`; the last bin of an accuracy has its end too.
struct Interval {
  double least = 0;
  double most = 0;
  friend bool operator==(const Interval&, const Interval&) = default;
};
// A loss: below 2^-5, half octaves up to 2^10, and from 2^10 on. An accuracy: intervals of 0.05. An own metric: none.
[[nodiscard]] std::size_t held_out_bins(std::string_view held_out_name);
[[nodiscard]] Interval held_out_bin(std::string_view held_out_name, std::size_t bin);
[[nodiscard]] std::size_t held_out_bin_of(std::string_view held_out_name, double mean);
// "held_out_loss.07".
[[nodiscard]] std::string held_out_bin_name(std::string_view held_out_name, std::size_t bin);

// Appends the bins of each held-out metric in the list.
void append_held_out_bins(Metrics& metrics);

enum class PersonalModel : std::uint8_t { absent, present };
// The metrics that a client reports in a round in which models are measured. own: the names that the operator signed.
[[nodiscard]] std::vector<std::string> held_out_metric_names(PersonalModel personal,
                                                             std::span<const std::string> own);
// What the setup of a secure sum lists in such a round: these metrics and their bins.
[[nodiscard]] std::vector<std::string> held_out_sum_names(PersonalModel personal,
                                                          std::span<const std::string> own);

}  // namespace hansa
