#include "protocols/messages/task.h"

#include <algorithm>
#include <cassert>
#include <set>

#include "common/random.h"
#include "common/transcript.h"
#include "protocols/codecs/seeds.h"

namespace hansa::messages {
namespace {

tl::unexpected<Error> wrong(std::string what) { return fail(ErrorCode::protocol, "task", std::move(what)); }

// Appends an option's value to a transcript.
struct Append {
  Transcript& to;
  void operator()(std::int64_t value) const { to.number(static_cast<std::uint64_t>(value), 8); }
  void operator()(double value) const { to.real(value); }
  void operator()(const std::string& value) const { to.text(value); }
  void operator()(const std::vector<std::string>& values) const {
    to.number(values.size(), 2);
    for (const std::string& value : values) to.text(value);
  }
};

Result<void> check_inputs(const TrainTask& task) {
  if (task.inputs.empty() || task.inputs.front().name != model_input)
    return wrong("does not begin with the model");
  std::set<std::string_view> names;
  std::set<Digest> blobs{task.archive};
  for (const TaskInput& input : task.inputs) {
    const std::string quoted = "\"" + input.name + "\"";
    if (!names.insert(input.name).second) return wrong("has two inputs " + quoted);
    if (input.bytes == 0 || input.bytes % sizeof(float) != 0)
      return wrong("has an input " + quoted + " that holds no values, or a part of one");
    if (!blobs.insert(input.vector).second)
      return wrong("has one blob for " + quoted + " and something else");
    if (!input.deltas) continue;
    for (const ModelDelta& delta : input.deltas->deltas)
      if (!blobs.insert(delta.blob).second)
        return wrong("has one blob for a delta to " + quoted + " and something else");
  }
  return {};
}

}  // namespace

const TaskInput& model_of(const TrainTask& task) {
  assert(!task.inputs.empty());
  return task.inputs.front();
}

std::uint64_t update_values(const TrainTask& task) {
  std::uint64_t out = 0;
  for (const TaskOutput& output : task.outputs) out += output.values;
  return out;
}

std::vector<codecs::Segment> update_segments(const TrainTask& task) {
  std::vector<codecs::Segment> out;
  for (const TaskOutput& output : task.outputs)
    out.insert(out.end(), output.segments.begin(), output.segments.end());
  return out;
}

std::optional<InputBlob> find_blob(const TrainTask& task, const Digest& blob) {
  for (const TaskInput& input : task.inputs) {
    if (input.vector == blob) return InputBlob{&input, nullptr};
    if (!input.deltas) continue;
    const auto found = std::ranges::find(input.deltas->deltas, blob, &ModelDelta::blob);
    if (found != input.deltas->deltas.end()) return InputBlob{&input, &*found};
  }
  return std::nullopt;
}

Result<void> check(const TrainTask& task) {
  HANSA_TRY_VOID(check_inputs(task));
  if (task.outputs.empty() || task.outputs.front().name != delta_output)
    return wrong("does not ask for the model's delta first");
  if (task.outputs.front().values != model_of(task).bytes / sizeof(float))
    return wrong("asks for a delta of another size than the model's");
  std::set<std::string_view> names;
  for (const TaskOutput& output : task.outputs) {
    if (output.values == 0) return wrong("asks for an output \"" + output.name + "\" without values");
    if (!names.insert(output.name).second) return wrong("asks for two outputs \"" + output.name + "\"");
  }
  return {};
}

codecs::Seeds update_seeds(const TrainTask& task) {
  return codecs::update_seeds(task.seed, task.compression ? task.compression->cohort_seed : 0);
}

codecs::Seeds delta_seeds(const ModelDelta& delta) { return codecs::delta_seeds(delta.base); }

Digest name_of(const ModelDelta& delta) { return name_of(delta.base, delta.blob); }

Digest name_of(const Digest& base, const Digest& blob) {
  std::string text = "hansa model step 1";
  for (const Digest* digest : {&base, &blob})
    text.append(reinterpret_cast<const char*>(digest->bytes.data()), digest->bytes.size());
  return sha256(std::string_view(text));
}

Digest name_of_input(std::string_view input, const Digest& vector) {
  std::string text = "hansa input 1";
  text.append(reinterpret_cast<const char*>(vector.bytes.data()), vector.bytes.size());
  return sha256(std::string_view(text.append(input)));
}

std::uint64_t training_seed(std::uint64_t round_seed, std::string_view client) {
  return derive_seed(round_seed, "train", 0, client);
}

Digest digest_of_work(const TrainTask& task) {
  Transcript out("hansa work 2");
  out.bytes(task.archive.bytes).bytes(task.layout.bytes).text(task.method.name);
  out.number(task.method.options.size(), 2);
  for (const Option& option : task.method.options) {
    out.text(option.name).number(option.value.index(), 1);
    std::visit(Append{out}, option.value);
  }
  out.number(task.inputs.size(), 2);
  for (const TaskInput& input : task.inputs)
    out.text(input.name).bytes(input.values.value_or(Digest{}).bytes);
  out.number(task.outputs.size(), 2);
  for (const TaskOutput& output : task.outputs) out.text(output.name).number(output.values, 8);
  out.real(task.magnitude_max);
  const HoldOut hold_out = task.hold_out.value_or(HoldOut{});
  out.real(hold_out.fraction).number(static_cast<std::uint8_t>(hold_out.measure), 1);
  return out.number(task.secure->seed, 8).digest();
}

secure_aggregation::SumSetup sum_setup(std::string_view federation, const TrainTask& task) {
  const SecureTask& secure = *task.secure;
  secure_aggregation::SumSetup out;
  out.federation = federation;
  out.round = task.round;
  out.attempt = secure.attempt;
  out.nonce = secure.nonce;
  out.model = model_of(task).values.value_or(Digest{});
  out.work = digest_of_work(task);
  out.segments = secure.segments;
  out.clients = secure.clients;
  out.quantisation = secure.quantisation;
  out.metrics = secure.metrics;
  out.assumptions = secure.assumptions;
  out.certificate_epoch = secure.certificate_epoch;
  return out;
}

}  // namespace hansa::messages
