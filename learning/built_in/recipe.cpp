#include "learning/built_in/recipe.h"

#include <cmath>
#include <utility>

namespace hansa::learning::built_in {
namespace {

constexpr const char* linear_code = R"(
def forward(self, x):
    return torch.linear(x, self.weight, self.bias)
)";

}  // namespace

Part layer(std::string name, std::vector<std::int64_t> weight) {
  std::int64_t fan_in = 1;
  for (std::size_t i = 1; i < weight.size(); ++i) fan_in *= weight[i];
  const Initial initial = uniform(1 / std::sqrt(static_cast<double>(fan_in)));
  const std::int64_t outputs = weight[0];
  return {std::move(name), {{"weight", std::move(weight), initial}, {"bias", {outputs}, initial}}};
}

Part linear(std::string name, LinearSize size) {
  Part out = layer(std::move(name), {size.outputs, size.inputs});
  out.code = linear_code;
  return out;
}

Part linear(std::string name, LinearSize size, Initial weight) {
  return {std::move(name),
          {{"weight", {size.outputs, size.inputs}, weight}, {"bias", {size.outputs}, constant(0)}},
          {},
          linear_code};
}

Part group_norm(std::string name, Grouping grouping) {
  return {std::move(name),
          {{"weight", {grouping.channels}, constant(1)}, {"bias", {grouping.channels}, constant(0)}},
          {},
          R"(
def forward(self, x):
    return torch.group_norm(x, )" +
              std::to_string(grouping.groups) + R"(, self.weight, self.bias, 1e-5)
)"};
}

Part sequence(std::string name, std::vector<Part> parts) {
  std::string code = "\ndef forward(self, x):\n";
  for (std::size_t i = 0; i < parts.size(); ++i) {
    parts[i].name = std::to_string(i);
    code += "    x = getattr(self, \"" + parts[i].name + "\").forward(x)\n";
  }
  code += "    return x\n";
  return {std::move(name), {}, std::move(parts), std::move(code)};
}

}  // namespace hansa::learning::built_in
