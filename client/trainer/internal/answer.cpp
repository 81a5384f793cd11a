#include "client/trainer/internal/answer.h"

#include <algorithm>
#include <bit>
#include <cmath>
#include <set>
#include <string>
#include <vector>

#include "common/held_out_metrics.h"

namespace hansa::client::internal {
namespace {

constexpr std::uint64_t epochs_max = 1'000;  // common/training.h
constexpr std::size_t kept_max = 8;  // vectors of an archive, with those that it has kept already
constexpr std::size_t kept_name_bytes_max = 200;
constexpr std::size_t place_texts = 4;  // protocol.h
// About 80 for each entry of the largest layout.
constexpr std::size_t place_text_bytes_max = std::size_t{8} << 20;

tl::unexpected<Error> fail_value(const Task& task, const std::string& what) {
  return fail(ErrorCode::model, task.request.archive.location(), "the trainer reports " + what,
              "the model's code may be hostile");
}

bool all_finite(std::span<const float> values) {
  constexpr std::uint32_t exponent = 0x7f800000;
  std::uint32_t found = 0;
  for (const float value : values)
    found |= static_cast<std::uint32_t>((std::bit_cast<std::uint32_t>(value) & exponent) == exponent);
  return found == 0;
}

// Copies first: the memory may change between a check and a copy.
bool copy_finite(std::span<const float> from, std::span<float> to) {
  std::ranges::copy(from, to.begin());
  return all_finite(to);
}

// Throws if it is not a whole number from 0 on.
std::uint64_t count_of(const Json& number) {
  if (!number.is_number_unsigned()) throw Json::other_error::create(501, "not a count", nullptr);
  return number.get<std::uint64_t>();
}

Result<learning::KeptVectors> kept_of(const Json& answer, const Task& task, const TaskMemory& memory) {
  learning::KeptVectors out;
  std::span<const float> room = memory.kept_results();
  // What the device keeps of an archive stays until the archive is forgotten, whatever names the child chooses.
  std::set<std::string> names;
  for (const auto& [name, of] : task.kept) names.insert(name);
  for (const Json& entry : answer.at("kept")) {
    const auto name = entry.at("name").get<std::string>();
    const std::uint64_t values = count_of(entry.at("values"));
    const auto of = parse_digest(entry.at("of").get<std::string>());
    names.insert(name);
    if (!of || values > room.size() || name.empty() || name.size() > kept_name_bytes_max ||
        names.size() > kept_max)
      return fail_value(task, "a vector to keep that cannot be one");
    std::vector<float> copy(values);
    if (!copy_finite(room.first(values), copy))
      return fail_value(task, "a vector to keep that has NaN or an infinite value");
    room = room.subspan(values);
    out.insert_or_assign(name, learning::KeptVector(*of, std::move(copy)));
  }
  return out;
}

Result<learning::TrainingResult> result_of(const Json& answer, const Task& task, const TaskMemory& memory,
                                           const Expected& expected) {
  learning::TrainingResult out;
  out.examples = count_of(answer.at("examples"));
  out.samples = count_of(answer.at("samples"));
  if (out.examples == 0 || out.examples > expected.examples || out.samples > out.examples * epochs_max)
    return fail_value(task, "more examples than it was given, or none");
  out.train_seconds = answer.at("seconds").get<double>();
  if (!(out.train_seconds >= 0)) out.train_seconds = 0;
  out.train_seconds = std::min(out.train_seconds, expected.seconds);
  out.note = answer.at("note").get<std::string>();
  if (out.note.size() > learning::wire_text_bytes_max) out.note.resize(learning::wire_text_bytes_max);
  out.metrics = learning::metrics_of(answer.at("metrics"));
  for (const Metric& metric : out.metrics) {
    if (!std::isfinite(metric.sum) || !std::isfinite(metric.count) || metric.count < 0)
      return fail_value(task, "a metric that is not a finite number");
    if (is_of_held_out(metric.name) && (!is_held_out_metric(metric.name) || !is_possible(metric) ||
                                        metric.count > static_cast<double>(expected.examples - out.examples)))
      return fail_value(task, "a metric of held out examples that cannot be one");
  }
  HANSA_TRY(out.kept, kept_of(answer, task, memory));
  return out;
}

}  // namespace

Result<learning::TrainingResult> accept_answer(std::string_view frame, const Task& task,
                                               const TaskMemory& memory, const Expected& expected,
                                               std::span<const learning::OutputVector> outputs) {
  HANSA_TRY(const Json answer, learning::parse_answer(frame, "hansa-trainer"));
  try {
    HANSA_TRY(auto result, result_of(answer, task, memory, expected));
    bool finite = true;
    for (std::size_t i = 0; i < outputs.size(); ++i)
      finite = copy_finite(memory.output(i), outputs[i].values) && finite;
    if (finite) return result;
  } catch (const Json::exception&) {
    return fail_value(task, "something that is not a result");
  }
  for (const learning::OutputVector& output : outputs) std::ranges::fill(output.values, 0.0F);
  return fail_value(task, "an update that has NaN or an infinite value");
}

Result<learning::ValuePlaces> accept_places(std::string_view frame, const Task& task,
                                            const TaskMemory& memory) {
  HANSA_TRY(const Json answer, learning::parse_answer(frame, "hansa-trainer"));
  std::vector<std::string> texts;
  try {
    auto room = std::as_bytes(memory.kept_results());
    for (const Json& size : answer.at("texts")) {
      const std::uint64_t bytes = count_of(size);
      if (texts.size() == place_texts || bytes > room.size() || bytes > place_text_bytes_max)
        return fail_value(task, "places of values that cannot be right");
      texts.emplace_back(reinterpret_cast<const char*>(room.data()), bytes);
      room = room.subspan(bytes);
    }
  } catch (const Json::exception&) {
    texts.clear();
  }
  if (texts.size() != place_texts) return fail_value(task, "something that is not a result");
  const std::string location = task.request.archive.location();
  learning::ValuePlaces out;
  const auto read = [&](const std::string& layout, const std::string& places,
                        learning::PlacedLayout& to) -> Result<void> {
    HANSA_TRY(to.layout, ParameterLayout::parse(layout, location));
    HANSA_TRY(to.places, learning::parse_places(places, to.layout, location));
    return {};
  };
  HANSA_TRY_VOID(read(texts[0], texts[1], out.shared));
  HANSA_TRY_VOID(read(texts[2], texts[3], out.personal));
  if (out.shared.layout.digest() != task.request.layout)
    return fail_value(task, "another layout than that of its task");
  return out;
}

}  // namespace hansa::client::internal
