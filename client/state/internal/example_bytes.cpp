#include "client/state/internal/example_bytes.h"

#include <cstring>

#include <nlohmann/json.hpp>

#include "client/state/internal/sealed.h"

namespace hansa::client {
namespace {

using nlohmann::json;

template <class T>
void append(std::span<const std::byte> bytes, std::vector<T>& to) {
  const std::size_t before = to.size();
  to.resize(before + bytes.size() / sizeof(T));
  if (!bytes.empty()) std::memcpy(to.data() + before, bytes.data(), bytes.size());
}

}  // namespace

std::string json_of(const HeldShape& held) {
  const learning::ExampleShape& shape = held.shape;
  return json{{"input", shape.input},
              {"target", shape.target},
              {"real", shape.target_kind == learning::TargetKind::real},
              {"classes", shape.class_count},
              {"columns", held.columns},
              {"label", held.label},
              {"class_names", held.classes}}
      .dump(-1, ' ', false, json::error_handler_t::replace);
}

HeldShape shape_of(const std::string& text) {
  const json kept = json::parse(text, nullptr, false);
  HeldShape held;
  learning::ExampleShape& out = held.shape;
  try {
    kept.at("input").get_to(out.input);
    kept.at("target").get_to(out.target);
    out.target_kind =
        kept.at("real").get<bool>() ? learning::TargetKind::real : learning::TargetKind::class_index;
    kept.at("classes").get_to(out.class_count);
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
  std::string out;
  for (const std::int64_t size : shape.input) out += (out.empty() ? "" : " x ") + std::to_string(size);
  return out + (shape.target_kind == learning::TargetKind::real ? " with numbers as labels"
                                                                : " with classes as labels");
}

ExampleBytes::ExampleBytes(const learning::ExampleShape& shape)
    : inputs_(shape.input_elements()),
      targets_(shape.target_elements()),
      real_(shape.target_kind == learning::TargetKind::real) {}

std::size_t ExampleBytes::size() const {
  return inputs_ * sizeof(float) + targets_ * (real_ ? sizeof(float) : sizeof(std::int64_t));
}

std::vector<std::byte> ExampleBytes::pack(const learning::Examples& from, std::size_t index) const {
  std::vector<std::byte> out(size());
  std::memcpy(out.data(), from.inputs.data() + index * inputs_, inputs_ * sizeof(float));
  std::byte* targets = out.data() + inputs_ * sizeof(float);
  if (real_) std::memcpy(targets, from.reals.data() + index * targets_, targets_ * sizeof(float));
  else std::memcpy(targets, from.classes.data() + index * targets_, targets_ * sizeof(std::int64_t));
  return out;
}

void ExampleBytes::unpack(std::span<const std::byte> bytes, learning::Examples& to) const {
  if (bytes.size() != size()) throw Damaged{"an example has another size"};
  append(bytes.first(inputs_ * sizeof(float)), to.inputs);
  bytes = bytes.subspan(inputs_ * sizeof(float));
  if (real_) append(bytes, to.reals);
  else append(bytes, to.classes);
}

}  // namespace hansa::client
