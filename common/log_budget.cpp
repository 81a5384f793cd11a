#include "common/log_budget.h"

namespace hansa {

LogBudget::Subject& LogBudget::find_subject(std::string_view subject) {
  if (const auto known = subjects_.find(subject); known != subjects_.end()) return known->second;
  if (subjects_.size() < subjects_max) return subjects_[std::string(subject)];
  Subject& others = subjects_[""];
  others.written = per_subject_max;
  return others;
}

LogBudget::Lines& LogBudget::find_reason(Subject& subject, std::string_view reason) {
  if (const auto known = subject.reasons.find(reason); known != subject.reasons.end()) return known->second;
  return subject.reasons[subject.reasons.size() < reasons_max ? std::string(reason) : std::string()];
}

bool LogBudget::allows(std::string_view subject, std::string_view reason, Instant now) {
  if (subjects_.empty()) window_began_ = now;
  Subject& of = find_subject(subject);
  Lines& lines = find_reason(of, reason);
  if (lines.written >= per_reason_max || of.written >= per_subject_max) {
    ++lines.omitted;
    return false;
  }
  ++lines.written;
  ++of.written;
  return true;
}

std::vector<LogBudget::Omitted> LogBudget::take_omitted(Instant now) {
  std::vector<Omitted> out;
  if (subjects_.empty() || now - window_began_ < window) return out;
  for (const auto& [subject, of] : subjects_)
    for (const auto& [reason, lines] : of.reasons)
      if (lines.omitted > 0) out.push_back({subject, reason, lines.omitted});
  subjects_.clear();
  return out;
}

std::string LogBudget::Omitted::text() const {
  return "... and " + std::to_string(lines) + " more in the last minute" +
         (reason.empty() ? "" : " (" + reason + ")");
}

}  // namespace hansa
