#include "client/trainer/internal/protocol.h"

#include <algorithm>
#include <numeric>

namespace hansa::client::internal {
namespace {

Json json_of(const Method& method) {
  Json options = Json::array();
  for (const Option& option : method.options) {
    Json value;
    std::visit([&](const auto& v) { value = v; }, option.value);
    options.push_back({{"name", option.name}, {"value", std::move(value)}});
  }
  return {{"name", method.name}, {"options", std::move(options)}};
}

OptionValue option_of(const Json& value) {
  if (value.is_number_integer()) return value.get<std::int64_t>();
  if (value.is_number()) return value.get<double>();
  if (value.is_string()) return value.get<std::string>();
  return value.get<std::vector<std::string>>();
}

Method method_of(const Json& json) {
  Method out;
  out.name = json.at("name").get<std::string>();
  for (const Json& option : json.at("options"))
    out.options.push_back({option.at("name").get<std::string>(), option_of(option.at("value"))});
  return out;
}

Digest digest_of(const Json& json) {
  const auto digest = parse_digest(json.get<std::string>());
  if (!digest) throw Json::other_error::create(501, "not a digest", nullptr);
  return *digest;
}

}  // namespace

Json json_of(const std::vector<std::filesystem::path>& paths) {
  Json out = Json::array();
  for (const auto& path : paths) out.push_back(learning::absolute_path(path));
  return out;
}

Json json_of(const Task& task) {
  Json inputs = Json::array(), outputs = Json::array(), kept = Json::array();
  for (std::size_t i = 0; i < task.request.inputs.size(); ++i)
    inputs.push_back({{"name", task.request.inputs[i].name}, {"values", task.sizes.inputs[i]}});
  for (std::size_t i = 0; i < task.output_names.size(); ++i)
    outputs.push_back({{"name", task.output_names[i]}, {"values", task.sizes.outputs[i]}});
  for (std::size_t i = 0; i < task.kept.size(); ++i)
    kept.push_back(
        {{"name", task.kept[i].first}, {"of", task.kept[i].second.text()}, {"values", task.sizes.kept[i]}});
  Json out{{"op", task.operation},
           {"archive", task.request.archive.location()},
           {"identity", task.request.archive.identity()},
           {"layout", task.request.layout.text()},
           {"method", json_of(task.request.method)},
           {"inputs", std::move(inputs)},
           {"outputs", std::move(outputs)},
           {"kept", std::move(kept)},
           {"kept_results", task.sizes.kept_results},
           {"seed", task.request.seed},
           {"magnitude_max", learning::number(task.request.magnitude_max)},
           {"task", task.request.task.value},
           {"memory_bytes", task.memory_bytes},
           {"new_memory", task.new_memory}};
  if (const auto& hold_out = task.request.hold_out)
    out["hold_out"] = {{"fraction", hold_out->fraction},
                       {"measure", hold_out->measure == Measure::yes},
                       {"key", task.request.hold_out_key},
                       {"own_metrics", task.request.own_metrics}};
  if (task.examples)
    out["examples"] = {{"location", task.examples->location},
                       {"shape", learning::json_of(task.examples->shape)},
                       {"count", task.examples->count}};
  return out;
}

Task task_of(const Json& json) {
  Task out;
  out.operation = json.at("op").get<std::string>();
  out.request.layout = digest_of(json.at("layout"));
  out.request.method = method_of(json.at("method"));
  for (const Json& input : json.at("inputs")) {
    out.request.inputs.push_back({input.at("name").get<std::string>(), {}});
    out.sizes.inputs.push_back(input.at("values").get<std::size_t>());
  }
  for (const Json& output : json.at("outputs")) {
    out.output_names.push_back(output.at("name").get<std::string>());
    out.sizes.outputs.push_back(output.at("values").get<std::size_t>());
  }
  for (const Json& kept : json.at("kept")) {
    out.kept.emplace_back(kept.at("name").get<std::string>(), digest_of(kept.at("of")));
    out.sizes.kept.push_back(kept.at("values").get<std::size_t>());
  }
  out.sizes.kept_results = json.at("kept_results").get<std::size_t>();
  out.request.seed = json.at("seed").get<std::uint64_t>();
  out.request.magnitude_max = learning::number_of(json.at("magnitude_max"));
  out.request.task = TaskId(json.at("task").get<std::uint64_t>());
  out.memory_bytes = json.at("memory_bytes").get<std::uint64_t>();
  out.new_memory = json.at("new_memory").get<bool>();
  if (json.contains("hold_out")) {
    const Json& hold_out = json.at("hold_out");
    out.request.hold_out = HoldOut{hold_out.at("fraction").get<double>(),
                                   hold_out.at("measure").get<bool>() ? Measure::yes : Measure::no};
    out.request.hold_out_key = hold_out.at("key").get<std::uint64_t>();
    out.request.own_metrics = hold_out.at("own_metrics").get<std::vector<std::string>>();
  }
  if (json.contains("examples")) {
    const Json& examples = json.at("examples");
    out.examples =
        PassedExamples{examples.at("location").get<std::string>(), learning::shape_of(examples.at("shape")),
                       examples.at("count").get<std::uint64_t>()};
    add_examples(out.examples->shape, out.examples->count, out.sizes);
  }
  return out;
}

void add_examples(const learning::ExampleShape& shape, std::uint64_t count, TaskSizes& sizes) {
  for (std::size_t t = 0; t < shape.size(); ++t) sizes.examples.push_back(count * shape[t].bytes());
}

Result<void> copy_examples(const learning::DataSource& source, const TaskMemory& memory) {
  std::vector<std::uint32_t> indices(source.example_count());
  std::iota(indices.begin(), indices.end(), 0U);
  std::vector<learning::TensorBytes> tensors;
  for (std::size_t t = 0; t < source.shape().size(); ++t) tensors.push_back(memory.example_tensor(t));
  return source.read(indices, tensors);
}

}  // namespace hansa::client::internal
