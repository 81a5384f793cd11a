// The models that ship with Hansa. They are built in C++, so that the first federation needs no Python.
// learning/built_in/ has their architectures.
#include <array>
#include <vector>

#include "common/files.h"
#include "learning/built_in/recipe_archive.h"
#include "learning/built_in/sequences.h"
#include "learning/built_in/tabular.h"
#include "learning/built_in/vision.h"
#include "learning/internal/torch_guard.h"
#include "learning/model_archive.h"

namespace hansa::learning {
namespace {

struct Entry {
  BuiltInModel model;
  BuiltInSize size;  // 0: the architecture fixes the size
  built_in::Recipe (*recipe)(const BuiltInSize& size);  // both sizes are above 0, if the model has them
};

const std::array<Entry, 13>& entries() {
  static const std::array<Entry, 13> all{{
      {{"logistic", "one linear layer, 784 inputs -> 10 classes; 7,850 parameters"},
       {784, 10},
       built_in::logistic},
      {{"mlp", "784-128-10 with ReLU; 101,770 parameters"}, {784, 10}, built_in::mlp},
      {{"cnn-small",
        "two 5x5 convolutions (16, 32) with ReLU and 2x2 max pool, one linear, 1x28x28 -> 10 classes; 18,378 "
        "parameters"},
       {0, 10},
       built_in::cnn_small},
      {{"cnn-mcmahan",
        "two padded 5x5 convolutions (32, 64) with ReLU and 2x2 max pool, 512, 1x28x28 -> 10 classes; "
        "1,663,370 "
        "parameters"},
       {0, 10},
       built_in::cnn_mcmahan},
      {{"lenet",
        "two 5x5 convolutions (6, 16) with ReLU and 2x2 max pool, 120-84, 1x28x28 -> 10 classes; 44,426 "
        "parameters"},
       {0, 10},
       built_in::lenet},
      {{"conv1d",
        "two convolutions of width 9 (16, 32), mean over time, windows of 1 channel -> 2 classes; 4,866 "
        "parameters"},
       {1, 2},
       built_in::conv1d},
      {{"lstm-char",
        "embedding of 8, two LSTM layers of 256, sequences of character numbers -> the next of 90; 822,570 "
        "parameters"},
       {0, 90},
       built_in::lstm_char},
      {{"resnet18",
        "ResNet-18 with group normalisation, 3 x height x width from 32x32 -> 10 classes; 11,181,642 "
        "parameters"},
       {3, 10},
       built_in::resnet18},
      {{"mobilenet-small",
        "seven inverted residual blocks with group normalisation, 3 x height x width from 32x32 -> 10 "
        "classes; "
        "139,114 parameters"},
       {3, 10},
       built_in::mobilenet_small},
      {{"unet-small",
        "U-Net of three levels (16 to 128 channels) with group normalisation, 3 x height x width from 8x8 -> "
        "2 classes for each pixel; 488,018 parameters"},
       {3, 2},
       built_in::unet_small},
      {{"transformer-tiny",
        "causal language model of two blocks of width 128, up to 512 tokens -> the next of 256 for each; "
        "495,104 parameters"},
       {0, 256},
       built_in::transformer_tiny},
      {{"tcn",
        "five blocks of dilated causal convolutions (32 channels), windows of 1 channel -> 2 classes; 46,690 "
        "parameters"},
       {1, 2},
       built_in::tcn},
      {{"autoencoder",
        "30-22-15-9-7-9-15-22-30 with tanh, 30 inputs -> their reconstruction; 2,505 parameters"},
       {30, 0},
       built_in::autoencoder},
  }};
  return all;
}

// The requested size, or the architecture's default. Fails if the architecture fixes its size and another is requested.
Result<std::int64_t> choose_size(std::int64_t asked, std::int64_t own, const std::string& name,
                                 const char* what) {
  if (asked == 0) return own;
  if (own == 0)
    return fail(ErrorCode::usage, name, std::string("its number of ") + what + " cannot be set",
                std::string("remove --") + what);
  if (asked < 1 || asked > 1'000'000)
    return fail(ErrorCode::usage, name, std::string("cannot have ") + std::to_string(asked) + " " + what,
                "use 1 to 1,000,000");
  return asked;
}

}  // namespace

std::span<const BuiltInModel> built_in_models() {
  static const auto models = [] {
    std::vector<BuiltInModel> out;
    for (const Entry& entry : entries()) out.push_back(entry.model);
    return out;
  }();
  return models;
}

Result<void> create_built_in(const std::string& name, std::uint64_t seed,
                             const std::filesystem::path& archive, const BuiltInSize& size) {
  std::string known;
  for (const Entry& entry : entries()) {
    if (entry.model.name == name) {
      BuiltInSize chosen;
      HANSA_TRY(chosen.inputs, choose_size(size.inputs, entry.size.inputs, name, "inputs"));
      HANSA_TRY(chosen.classes, choose_size(size.classes, entry.size.classes, name, "classes"));
      HANSA_TRY(const std::string bytes, guarded(name, "cannot be created", "", [&]() -> Result<std::string> {
                  return built_in::make_archive(name, entry.recipe(chosen), seed);
                }));
      return write_file_atomically(archive, bytes);
    }
    if (!known.empty()) known += ", ";
    known.append("\"").append(entry.model.name).append("\"");
  }
  return fail(ErrorCode::usage, "",
              std::string("\"").append(name, 0, 40).append("\" is not a built-in model"),
              "use one of " + known + ", or a TorchScript archive");
}

}  // namespace hansa::learning
