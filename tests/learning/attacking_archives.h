// Model archives whose code attacks the device that trains them. Torch-free header.
#pragma once
#include <filesystem>
#include <string>

namespace hansa::learning::testing {

// A linear model of 4 x 4 inputs and 3 classes whose training_loss(self, x, y) has this body, in TorchScript.
void write_attacking_archive(const std::filesystem::path& path, const std::string& training_loss);

}  // namespace hansa::learning::testing
