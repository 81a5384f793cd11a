#include "learning/built_in/vision.h"

#include <string>
#include <utility>
#include <vector>

namespace hansa::learning::built_in {
namespace {

struct Channels {
  std::int64_t in, out;
};

struct Kernel {
  std::int64_t side = 3;
  std::int64_t stride = 1;
  std::int64_t groups = 1;
};

// The initial weights of a convolution: the fan is that of the outputs or of the inputs.
enum class Fan : std::uint8_t { out, in };

// A convolution without a bias, which the normalisation after it would remove. It keeps the image's size, but for the
// stride.
Part convolution(std::string name, Channels channels, Kernel kernel = {}, Fan fan = Fan::out) {
  const std::int64_t inputs = channels.in / kernel.groups;
  const std::int64_t connections = (fan == Fan::out ? channels.out : inputs) * kernel.side * kernel.side;
  const std::string stride = std::to_string(kernel.stride);
  const std::string padding = std::to_string(kernel.side / 2);
  return {std::move(name),
          {{"weight", {channels.out, inputs, kernel.side, kernel.side}, kaiming_normal(connections)}},
          {},
          "\ndef forward(self, x):\n    return torch.conv2d(x, self.weight, None, [" + stride + ", " +
              stride + "], [" + padding + ", " + padding + "], [1, 1], " + std::to_string(kernel.groups) +
              ")\n"};
}

// Basic block of He et al. 2016, figure 2.
Part basic_block(Channels channels, std::int64_t stride) {
  const auto norm = [&](const char* name) { return group_norm(name, {channels.out, 32}); };
  Part block{{},
             {},
             {convolution("conv1", channels, {.stride = stride}), norm("bn1"),
              convolution("conv2", {channels.out, channels.out}), norm("bn2")}};
  const bool changes_shape = stride != 1 || channels.in != channels.out;
  if (changes_shape)
    block.parts.push_back(
        sequence("downsample", {convolution("0", channels, {.side = 1, .stride = stride}), norm("1")}));
  block.code = std::string(R"(
def forward(self, x):
    y = torch.relu(self.bn1.forward(self.conv1.forward(x)))
    y = self.bn2.forward(self.conv2.forward(y))
    return torch.relu(y + )") +
               (changes_shape ? "self.downsample.forward(x))\n" : "x)\n");
  return block;
}

enum class Activation : std::uint8_t { relu6, none };

// Convolution, normalisation and activation.
Part normalised(std::string name, Channels channels, Kernel kernel, Activation activation) {
  return {std::move(name),
          {},
          {convolution("conv", channels, kernel), group_norm("norm", {channels.out, 8})},
          activation == Activation::relu6 ? R"(
def forward(self, x):
    return torch.relu6(self.norm.forward(self.conv.forward(x)))
)"
                                          : R"(
def forward(self, x):
    return self.norm.forward(self.conv.forward(x))
)"};
}

struct InvertedResidual {
  std::int64_t expansion, channels, stride;
};

// Sandler et al. 2018, section 3.3.
Part inverted_residual(std::int64_t inputs, const InvertedResidual& block) {
  const std::int64_t wide = inputs * block.expansion;
  Part out;
  std::string value = "x";
  const auto add = [&](Part part) {
    value = "self." + part.name + ".forward(" + value + ")";
    out.parts.push_back(std::move(part));
  };
  if (block.expansion > 1) add(normalised("expand", {inputs, wide}, {.side = 1}, Activation::relu6));
  add(normalised("depthwise", {wide, wide}, {.stride = block.stride, .groups = wide}, Activation::relu6));
  add(normalised("project", {wide, block.channels}, {.side = 1}, Activation::none));
  const bool is_residual = block.stride == 1 && inputs == block.channels;
  out.code = "\ndef forward(self, x):\n    return " + std::string(is_residual ? "x + " : "") + value + "\n";
  return out;
}

// Two convolutions of the U-Net with normalisation and ReLU.
Part double_convolution(std::string name, Channels channels) {
  return {std::move(name),
          {},
          {convolution("conv1", channels, {}, Fan::in), group_norm("norm1", {channels.out, 8}),
           convolution("conv2", {channels.out, channels.out}, {}, Fan::in),
           group_norm("norm2", {channels.out, 8})},
          R"(
def forward(self, x):
    x = torch.relu(self.norm1.forward(self.conv1.forward(x)))
    return torch.relu(self.norm2.forward(self.conv2.forward(x)))
)"};
}

}  // namespace

Recipe cnn_small(const BuiltInSize& size) {
  return {{layer("conv1", {16, 1, 5, 5}), layer("conv2", {32, 16, 5, 5}), layer("fc", {size.classes, 512})},
          R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv1.weight, self.conv1.bias)), [2, 2])
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv2.weight, self.conv2.bias)), [2, 2])
    return torch.linear(torch.flatten(x, 1), self.fc.weight, self.fc.bias)
)"};
}

// The CNN for MNIST of McMahan et al. 2017, section 3.
Recipe cnn_mcmahan(const BuiltInSize& size) {
  return {{layer("conv1", {32, 1, 5, 5}), layer("conv2", {64, 32, 5, 5}), layer("fc1", {512, 3136}),
           layer("fc2", {size.classes, 512})},
          R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv1.weight, self.conv1.bias, [1, 1], [2, 2])), [2, 2])
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv2.weight, self.conv2.bias, [1, 1], [2, 2])), [2, 2])
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.fc1.weight, self.fc1.bias))
    return torch.linear(x, self.fc2.weight, self.fc2.bias)
)"};
}

// LeNet-5 with ReLU and max pooling, as in Li et al. 2022 (NIID-Bench), section 5.
Recipe lenet(const BuiltInSize& size) {
  return {{layer("conv1", {6, 1, 5, 5}), layer("conv2", {16, 6, 5, 5}), layer("fc1", {120, 256}),
           layer("fc2", {84, 120}), layer("fc3", {size.classes, 84})},
          R"(
def forward(self, x):
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv1.weight, self.conv1.bias)), [2, 2])
    x = torch.max_pool2d(torch.relu(torch.conv2d(x, self.conv2.weight, self.conv2.bias)), [2, 2])
    x = torch.relu(torch.linear(torch.flatten(x, 1), self.fc1.weight, self.fc1.bias))
    x = torch.relu(torch.linear(x, self.fc2.weight, self.fc2.bias))
    return torch.linear(x, self.fc3.weight, self.fc3.bias)
)"};
}

// ResNet-18 (He et al. 2016) for ImageNet with group normalisation. Names, shapes and initial distributions are those of
// torchvision.models.resnet18(norm_layer=lambda channels: torch.nn.GroupNorm(32, channels)), so that each loads the
// other's state_dict. An image of 32 x 32 has 8 x 8 places after the stem and one after layer4.
Recipe resnet18(const BuiltInSize& size) {
  Recipe recipe{
      {convolution("conv1", {size.inputs, 64}, {.side = 7, .stride = 2}), group_norm("bn1", {64, 32})},
      R"(
def forward(self, x):
    x = torch.relu(self.bn1.forward(self.conv1.forward(x)))
    x = torch.max_pool2d(x, [3, 3], [2, 2], [1, 1])
    x = self.layer2.forward(self.layer1.forward(x))
    x = self.layer4.forward(self.layer3.forward(x))
    return self.fc.forward(torch.mean(x, [2, 3]))
)"};
  std::int64_t in = 64;
  std::int64_t stride = 1;
  for (std::int64_t number = 1; number <= 4; ++number) {
    const std::int64_t out = number == 1 ? in : 2 * in;
    recipe.parts.push_back(sequence("layer" + std::to_string(number),
                                    {basic_block({in, out}, stride), basic_block({out, out}, 1)}));
    in = out;
    stride = 2;
  }
  recipe.parts.push_back(linear("fc", {512, size.classes}));
  return recipe;
}

// MobileNetV2 (Sandler et al. 2018) with fewer and narrower blocks and group normalisation. Initial distributions are
// those of torchvision's mobilenet_v2.
Recipe mobilenet_small(const BuiltInSize& size) {
  constexpr std::int64_t stem = 16;
  constexpr std::int64_t last = 320;
  std::int64_t channels = stem;
  std::vector<Part> blocks;
  for (const InvertedResidual& block :
       {InvertedResidual{1, 16, 1}, InvertedResidual{4, 24, 2}, InvertedResidual{4, 24, 1},
        InvertedResidual{4, 40, 2}, InvertedResidual{4, 40, 1}, InvertedResidual{4, 80, 2},
        InvertedResidual{4, 80, 1}}) {
    blocks.push_back(inverted_residual(channels, block));
    channels = block.channels;
  }
  return {{normalised("stem", {size.inputs, stem}, {.stride = 2}, Activation::relu6),
           sequence("blocks", std::move(blocks)),
           normalised("last", {channels, last}, {.side = 1}, Activation::relu6),
           linear("fc", {last, size.classes}, normal(0.01))},
          R"(
def forward(self, x):
    x = self.last.forward(self.blocks.forward(self.stem.forward(x)))
    return self.fc.forward(torch.mean(x, [2, 3]))
)"};
}

// U-Net (Ronneberger et al. 2015) with three levels and a quarter of the width, padded convolutions, group
// normalisation, and nearest-neighbour upsampling to the size of the skipped map, which may be odd. Initial weights as
// in the paper's section 3: normal with variance 2 / fan_in.
Recipe unet_small(const BuiltInSize& size) {
  return {{double_convolution("encoder1", {size.inputs, 16}), double_convolution("encoder2", {16, 32}),
           double_convolution("encoder3", {32, 64}), double_convolution("bottom", {64, 128}),
           double_convolution("decoder3", {128 + 64, 64}), double_convolution("decoder2", {64 + 32, 32}),
           double_convolution("decoder1", {32 + 16, 16}), layer("out", {size.classes, 16, 1, 1})},
          R"(
def join(self, x, skipped):
    x = torch.upsample_nearest2d(x, [skipped.size(2), skipped.size(3)])
    return torch.cat([skipped, x], 1)
def forward(self, x):
    level1 = self.encoder1.forward(x)
    level2 = self.encoder2.forward(torch.max_pool2d(level1, [2, 2]))
    level3 = self.encoder3.forward(torch.max_pool2d(level2, [2, 2]))
    x = self.bottom.forward(torch.max_pool2d(level3, [2, 2]))
    x = self.decoder3.forward(self.join(x, level3))
    x = self.decoder2.forward(self.join(x, level2))
    x = self.decoder1.forward(self.join(x, level1))
    return torch.conv2d(x, self.out.weight, self.out.bias)
)"};
}

}  // namespace hansa::learning::built_in
