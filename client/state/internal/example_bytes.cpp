#include "client/state/internal/example_bytes.h"

#include <nlohmann/json.hpp>

#include "client/state/internal/sealed.h"

namespace hansa::client {
namespace {

using nlohmann::json;

json json_of(const std::vector<learning::TensorSpec>& specs) {
  json out = json::array();
  for (const learning::TensorSpec& spec : specs)
    out.push_back({{"name", spec.name},
                   {"type", name(spec.type)},
                   {"shape", spec.shape},
                   {"classes", spec.class_count}});
  return out;
}

std::vector<learning::TensorSpec> specs_of(const json& list) {
  std::vector<learning::TensorSpec> out;
  for (const json& spec : list) {
    const auto type = element_type_of(spec.at("type").get<std::string>());
    if (!type) throw Damaged{"the examples have a tensor of an unknown type"};
    out.push_back({spec.at("name").get<std::string>(), *type,
                   spec.at("shape").get<std::vector<std::int64_t>>(),
                   spec.at("classes").get<std::int64_t>()});
  }
  return out;
}

// An earlier version kept one input and one target, in the same bytes.
learning::ExampleShape shape_without_names(const json& kept) {
  auto target = kept.at("target").get<std::vector<std::int64_t>>();
  return learning::one_input(
      kept.at("input").get<std::vector<std::int64_t>>(),
      kept.at("real").get<bool>()
          ? learning::real_target(std::move(target))
          : learning::class_target(kept.at("classes").get<std::int64_t>(), std::move(target)));
}

}  // namespace

std::string json_of(const HeldShape& held) {
  return json{{"inputs", json_of(held.shape.inputs)},
              {"targets", json_of(held.shape.targets)},
              {"columns", held.columns},
              {"label", held.label},
              {"class_names", held.classes}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

HeldShape shape_of(const std::string& text) {
  const json kept = json::parse(text, nullptr, false);
  HeldShape held;
  try {
    held.shape = kept.contains("inputs")
                     ? learning::ExampleShape{specs_of(kept.at("inputs")), specs_of(kept.at("targets"))}
                     : shape_without_names(kept);
    // An earlier version kept no names.
    held.columns = kept.value("columns", held.columns);
    held.label = kept.value("label", held.label);
    held.classes = kept.value("class_names", held.classes);
  } catch (const json::exception&) {
    throw Damaged{"the shape of the examples cannot be read"};
  }
  return held;
}

std::string text_of(const learning::ExampleShape& shape) {
  return learning::text_of(shape.inputs) + " with the targets " + learning::text_of(shape.targets);
}

ExampleBytes::ExampleBytes(const learning::ExampleShape& shape) {
  for (std::size_t t = 0; t < shape.size(); ++t) {
    tensors_.push_back(shape[t].bytes());
    size_ += tensors_.back();
  }
}

std::vector<std::byte> ExampleBytes::pack(const learning::Examples& from, std::size_t index) const {
  std::vector<std::byte> out;
  out.reserve(size_);
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    const auto example = learning::bytes_of(from.tensors[t]).subspan(index * tensors_[t], tensors_[t]);
    out.insert(out.end(), example.begin(), example.end());
  }
  return out;
}

void ExampleBytes::unpack(std::span<const std::byte> bytes, learning::Examples& to) const {
  if (bytes.size() != size_) throw Damaged{"an example has another size"};
  for (std::size_t t = 0; t < tensors_.size(); ++t) {
    learning::append(bytes.first(tensors_[t]), to.tensors[t]);
    bytes = bytes.subspan(tensors_[t]);
  }
}

}  // namespace hansa::client
