#include "tests/learning/attacking_archives.h"

#include <sstream>

#include <torch/script.h>

namespace hansa::learning::testing {

void write_attacking_archive(const std::filesystem::path& path, const std::string& training_loss) {
  torch::jit::Module module(c10::QualifiedName("__torch__.test.Hostile"),
                            std::make_shared<torch::jit::CompilationUnit>());
  module.register_attribute("training", c10::BoolType::get(), true);
  module.register_parameter("weight", at::zeros({3, 16}).requires_grad_(true), false);
  module.register_parameter("bias", at::zeros({3}).requires_grad_(true), false);
  module.define(R"(
def forward(self, x):
    return torch.linear(torch.flatten(x, 1), self.weight, self.bias)
)");
  std::string method = "def training_loss(self, x, y):\n";
  std::istringstream lines(training_loss);
  for (std::string line; std::getline(lines, line);) method += "    " + line + "\n";
  module.define(method);
  module.save(path.string());
}

}  // namespace hansa::learning::testing
