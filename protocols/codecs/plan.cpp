#include "protocols/codecs/plan.h"

#include <algorithm>

#include "common/name_pattern.h"
#include "protocols/codecs/internal/segment_codec.h"

namespace hansa::codecs {
namespace {

constexpr std::uint64_t values_max = std::uint64_t{1} << 38;
constexpr Spec vector_spec{Kind::f16, 0, 0, 0};
constexpr Spec exact_spec{Kind::f32, 0, 0, 0};

// The codecs of parameters that no rule names.
struct Defaults {
  Spec matrix;
  Spec vector;
  Spec buffer;

  [[nodiscard]] const Spec& of(const ParameterEntry& entry) const {
    if (entry.kind == ParameterKind::buffer) return buffer;
    return entry.shape.size() < 2 ? vector : matrix;
  }
};

std::vector<Segment> cut(const ParameterLayout& layout, std::span<const Rule> rules,
                         const Defaults& defaults) {
  std::vector<Segment> out;
  for (const ParameterEntry& entry : layout.entries()) {
    if (entry.count == 0) continue;
    Segment segment{entry.count, defaults.of(entry), 0};
    const auto rule =
        std::ranges::find_if(rules, [&](const Rule& r) { return matches_pattern(entry.name, r.match); });
    if (rule != rules.end()) segment.spec = rule->spec;
    if (segment.spec.kind == Kind::lowrank) {
      const std::uint64_t rows = entry.shape.size() < 2 ? 0 : static_cast<std::uint64_t>(entry.shape[0]);
      const bool smaller = rows > 0 && segment.spec.rank * (rows + entry.count / rows) < entry.count;
      if (smaller) segment.rows = rows;
      else segment.spec = vector_spec;
    }
    if (!out.empty() && out.back().spec == segment.spec && segment.rows == 0)
      out.back().values += segment.values;
    else out.push_back(segment);
  }
  return out;
}

}  // namespace

Result<std::vector<Segment>> segments_of(const ParameterLayout& layout, std::span<const Rule> rules,
                                         const Spec& default_spec) {
  const Spec vectors = default_spec.kind > Kind::bf16 ? vector_spec : default_spec;
  auto out = cut(layout, rules, {default_spec, vectors, exact_spec});
  // In very deep models vectors have the codec of their neighbours, so that there are fewer segments.
  if (out.size() > segments_max) out = cut(layout, rules, {default_spec, default_spec, exact_spec});
  if (out.size() > segments_max) out = cut(layout, rules, {default_spec, default_spec, default_spec});
  if (out.size() > segments_max)
    return fail(ErrorCode::usage, "compression",
                "divides the model into " + std::to_string(out.size()) +
                    " segments of different codecs; the maximum is " + std::to_string(segments_max),
                "give neighbouring parameters the same codec");
  return out;
}

Plan::Plan() = default;
Plan::~Plan() = default;
Plan::Plan(Plan&&) noexcept = default;
Plan& Plan::operator=(Plan&&) noexcept = default;

Result<Plan> Plan::create(std::vector<Segment> segments) {
  if (segments.empty() || segments.size() > segments_max)
    return fail(ErrorCode::usage, "codecs", "have no segment or too many");
  Plan plan;
  for (const Segment& segment : segments) {
    HANSA_TRY_VOID(check(segment.spec));
    const bool is_lowrank = segment.spec.kind == Kind::lowrank;
    if (segment.values == 0 || segment.values > values_max - plan.values_)
      return fail(ErrorCode::usage, "codecs",
                  "have a segment without values, or more values than a model can have");
    if (is_lowrank ? segment.rows == 0 || segment.values % segment.rows != 0 : segment.rows != 0)
      return fail(ErrorCode::usage, "codecs", "have a wrong number of matrix rows");
    Part part{plan.values_, plan.state_values_, internal::make_codec(segment)};
    plan.values_ += segment.values;
    if (has_error_feedback(segment.spec)) plan.state_values_ += segment.values;
    plan.state_values_ += part.codec->extra_state_values();
    plan.encoded_bytes_max_ += part.codec->encoded_bytes_max();
    plan.parts_.push_back(std::move(part));
  }
  plan.encoded_bytes_max_ += 1;  // the byte that says how the rest is stored
  plan.segments_ = std::move(segments);
  return plan;
}

std::string Plan::text() const {
  // Sorted by the number of values, the largest first.
  std::vector<std::pair<std::string, std::uint64_t>> specs;
  for (const Segment& segment : segments_) {
    const std::string name = text_of(segment.spec);
    const auto known = std::ranges::find(specs, name, &std::pair<std::string, std::uint64_t>::first);
    if (known == specs.end()) specs.emplace_back(name, segment.values);
    else known->second += segment.values;
  }
  std::ranges::stable_sort(specs, std::greater{}, &std::pair<std::string, std::uint64_t>::second);
  std::string out;
  for (const auto& [name, values] : specs)
    out += out.empty() ? name
                       : ", " + name + " for " + std::to_string(values) + " of " + std::to_string(values_) +
                             " values";
  return out;
}

}  // namespace hansa::codecs
