#include "learning/built_in/tabular.h"

#include <algorithm>
#include <array>

namespace hansa::learning::built_in {

Recipe logistic(const BuiltInSize& size) {
  return {{layer("fc", {size.classes, size.inputs})}, R"(
def forward(self, x):
    return torch.linear(torch.flatten(x, 1), self.fc.weight, self.fc.bias)
)"};
}

Recipe mlp(const BuiltInSize& size) {
  return {{layer("fc1", {128, size.inputs}), layer("fc2", {size.classes, 128})}, R"(
def forward(self, x):
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.fc1.weight, self.fc1.bias))
    return torch.linear(x, self.fc2.weight, self.fc2.bias)
)"};
}

// The widths of Meidan et al. 2018 (N-BaIoT): 75, 50, 33 and 25 % of the features, and back. They do not name an
// activation.
Recipe autoencoder(const BuiltInSize& size) {
  const auto width = [&](std::int64_t percent) {
    return std::max<std::int64_t>(1, size.inputs * percent / 100);
  };
  const std::array<std::int64_t, 5> widths{size.inputs, width(75), width(50), width(33), width(25)};
  Recipe recipe;
  for (std::size_t i = 1; i < widths.size(); ++i)
    recipe.parts.push_back(linear("encoder" + std::to_string(i), {widths[i - 1], widths[i]}));
  for (std::size_t i = widths.size() - 1; i > 0; --i)
    recipe.parts.push_back(linear("decoder" + std::to_string(i), {widths[i], widths[i - 1]}));
  // Neither the loss nor the metrics take the data's targets.
  recipe.code = R"(
def encode(self, x):
    x = torch.tanh(self.encoder1.forward(torch.flatten(x, 1)))
    x = torch.tanh(self.encoder2.forward(x))
    x = torch.tanh(self.encoder3.forward(x))
    return torch.tanh(self.encoder4.forward(x))
def decode(self, x):
    x = torch.tanh(self.decoder4.forward(x))
    x = torch.tanh(self.decoder3.forward(x))
    x = torch.tanh(self.decoder2.forward(x))
    return self.decoder1.forward(x)
def forward(self, x):
    return torch.reshape(self.decode(self.encode(x)), x.size())
def error(self, x):
    return torch.mean(torch.flatten(torch.square(self.forward(x) - x), 1), [1])
def training_loss(self, x):
    return torch.mean(self.error(x))
def metrics(self, x) -> Dict[str, Tuple[Tensor, int]]:
    return {"reconstruction_error": (torch.sum(self.error(x)), x.size(0))}
)";
  return recipe;
}

}  // namespace hansa::learning::built_in
