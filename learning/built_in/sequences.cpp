#include "learning/built_in/sequences.h"

#include <cmath>
#include <string>
#include <utility>
#include <vector>

namespace hansa::learning::built_in {
namespace {

struct CausalConvolution {
  std::int64_t in, out;  // channels
  std::int64_t dilation;
};

constexpr std::int64_t tcn_kernel = 5;

// Position t of the result depends on t and earlier positions.
Part causal_convolution(std::string name, const CausalConvolution& convolution) {
  Part out = layer(std::move(name), {convolution.out, convolution.in, tcn_kernel});
  out.code = "\ndef forward(self, x):\n    x = torch.constant_pad_nd(x, [" +
             std::to_string((tcn_kernel - 1) * convolution.dilation) +
             ", 0])\n    return torch.conv1d(x, self.weight, self.bias, [1], [0], [" +
             std::to_string(convolution.dilation) + "])\n";
  return out;
}

// Bai et al. 2018, figure 1b, without weight normalisation and dropout.
Part temporal_block(const CausalConvolution& first) {
  Part block{{},
             {},
             {causal_convolution("conv1", first),
              causal_convolution("conv2", {first.out, first.out, first.dilation})}};
  if (first.in != first.out) block.parts.push_back(layer("downsample", {first.out, first.in, 1}));
  block.code =
      std::string(R"(
def forward(self, x):
    y = torch.relu(self.conv1.forward(x))
    y = torch.relu(self.conv2.forward(y))
    return torch.relu(y + )") +
      (first.in != first.out ? "torch.conv1d(x, self.downsample.weight, self.downsample.bias))\n" : "x)\n");
  return block;
}

// Initial values of GPT-2 (Radford et al. 2019, section 2.3): 0.02, and less for what is added to the residual stream.
struct Transformer {
  std::int64_t width = 128;
  std::int64_t heads = 4;
  std::int64_t blocks = 2;
  std::int64_t positions = 512;
  Initial weight = normal(0.02);
};

Part layer_norm(std::string name, std::int64_t width) {
  return {std::move(name),
          {{"weight", {width}, constant(1)}, {"bias", {width}, constant(0)}},
          {},
          "\ndef forward(self, x):\n    return torch.layer_norm(x, [" + std::to_string(width) +
              "], self.weight, self.bias, 1e-5)\n"};
}

Part attention(const Transformer& shape, Initial to_residual) {
  const std::int64_t side = shape.width / shape.heads;
  return {"attn",
          {},
          {linear("c_attn", {shape.width, 3 * shape.width}, shape.weight),
           linear("c_proj", {shape.width, shape.width}, to_residual)},
          "\ndef forward(self, x):\n"
          "    examples, length = x.size(0), x.size(1)\n"
          "    x = torch.reshape(self.c_attn.forward(x), [examples, length, 3, " +
              std::to_string(shape.heads) + ", " + std::to_string(side) +
              "])\n"
              "    x = torch.permute(x, [2, 0, 3, 1, 4])\n"
              "    query, key, value = torch.select(x, 0, 0), torch.select(x, 0, 1), torch.select(x, 0, 2)\n"
              R"(    scores = torch.matmul(query, torch.transpose(key, 2, 3)) / float(query.size(3)) ** 0.5
    position = torch.arange(length)
    is_later = torch.gt(torch.unsqueeze(position, 0), torch.unsqueeze(position, 1))
    scores = torch.masked_fill(scores, is_later, float("-inf"))
    x = torch.transpose(torch.matmul(torch.softmax(scores, -1), value), 1, 2)
    return self.c_proj.forward(torch.flatten(x, 2))
)"};
}

Part transformer_block(const Transformer& shape) {
  const Initial to_residual = normal(shape.weight.scale / std::sqrt(2 * static_cast<double>(shape.blocks)));
  Part perceptron{"mlp",
                  {},
                  {linear("c_fc", {shape.width, 4 * shape.width}, shape.weight),
                   linear("c_proj", {4 * shape.width, shape.width}, to_residual)},
                  R"(
def forward(self, x):
    return self.c_proj.forward(torch.gelu(self.c_fc.forward(x)))
)"};
  return {{},
          {},
          {layer_norm("ln_1", shape.width), attention(shape, to_residual), layer_norm("ln_2", shape.width),
           std::move(perceptron)},
          R"(
def forward(self, x):
    x = x + self.attn.forward(self.ln_1.forward(x))
    return x + self.mlp.forward(self.ln_2.forward(x))
)"};
}

}  // namespace

// The mean over time lets the model take windows of any length from 32 samples.
Recipe conv1d(const BuiltInSize& size) {
  return {
      {layer("conv1", {16, size.inputs, 9}), layer("conv2", {32, 16, 9}), layer("fc", {size.classes, 32})},
      R"(
def forward(self, x):
    x = torch.max_pool1d(torch.relu(torch.conv1d(x, self.conv1.weight, self.conv1.bias)), [2])
    x = torch.relu(torch.conv1d(x, self.conv2.weight, self.conv2.bias))
    return torch.linear(torch.mean(x, [2]), self.fc.weight, self.fc.bias)
)"};
}

// Temporal convolutional network (Bai et al. 2018): the result depends on the last 249 positions. Initial values are
// LibTorch's defaults.
Recipe tcn(const BuiltInSize& size) {
  constexpr std::int64_t channels = 32;
  std::vector<Part> blocks;
  std::int64_t in = size.inputs;
  for (const std::int64_t dilation : {1, 2, 4, 8, 16}) {
    blocks.push_back(temporal_block({in, channels, dilation}));
    in = channels;
  }
  return {{sequence("network", std::move(blocks)), linear("fc", {channels, size.classes})}, R"(
def forward(self, x):
    return self.fc.forward(torch.select(self.network.forward(x), 2, -1))
)"};
}

// The character model of McMahan et al. 2017, section 3: an embedding of 8 dimensions, two LSTM layers of 256 units,
// and scores for the next character.
Recipe lstm_char(const BuiltInSize& size) {
  constexpr std::int64_t embedding = 8;
  constexpr std::int64_t hidden = 256;
  const Initial initial = uniform(1 / std::sqrt(static_cast<double>(hidden)));
  const auto gates = [&](const char* name, std::int64_t inputs) {
    return Part{name,
                {{"weight_ih", {4 * hidden, inputs}, initial},
                 {"weight_hh", {4 * hidden, hidden}, initial},
                 {"bias_ih", {4 * hidden}, initial},
                 {"bias_hh", {4 * hidden}, initial}}};
  };
  // Unit variance, as torch::nn::Embedding is initialised.
  return {{{"embedding", {{"weight", {size.classes, embedding}, uniform(std::sqrt(3.0))}}},
           gates("lstm1", embedding),
           gates("lstm2", hidden),
           layer("fc", {size.classes, hidden})},
          R"(
def forward(self, x):
    x = torch.embedding(self.embedding.weight, torch.flatten(x, 1).long())
    h = torch.new_zeros(x, [2, x.size(0), 256])
    weights = [self.lstm1.weight_ih, self.lstm1.weight_hh, self.lstm1.bias_ih, self.lstm1.bias_hh, self.lstm2.weight_ih, self.lstm2.weight_hh, self.lstm2.bias_ih, self.lstm2.bias_hh]
    y, _, _ = torch.lstm(x, [h, h], weights, True, 2, 0.0, self.training, False, True)
    return torch.linear(torch.select(y, 1, -1), self.fc.weight, self.fc.bias)
)"};
}

// A causal language model in the form of GPT-2 (Radford et al. 2019), without dropout: learned positions, normalisation
// before each part, and the embedding's weights again in the last layer. Score [n, c, t] is for token c after position t.
Recipe transformer_tiny(const BuiltInSize& size) {
  const Transformer shape;
  std::vector<Part> blocks;
  for (std::int64_t i = 0; i < shape.blocks; ++i) blocks.push_back(transformer_block(shape));
  // The labels of a window with only one label, the token after it, are the window's own tokens and that label.
  return {{{"wte", {{"weight", {size.classes, shape.width}, shape.weight}}},
           {"wpe", {{"weight", {shape.positions, shape.width}, shape.weight}}},
           sequence("h", std::move(blocks)),
           layer_norm("ln_f", shape.width)},
          R"(
def forward(self, x):
    x = torch.flatten(x, 1).long()
    length = x.size(1)
    assert length <= self.wpe.weight.size(0), "a sequence has more tokens than the model has positions"
    x = torch.embedding(self.wte.weight, x) + torch.slice(self.wpe.weight, 0, 0, length)
    x = self.ln_f.forward(self.h.forward(x))
    return torch.transpose(torch.linear(x, self.wte.weight), 1, 2)
def training_loss(self, x, y):
    if y.dim() == 1:
        y = torch.cat([torch.slice(torch.flatten(x, 1).long(), 1, 1), torch.unsqueeze(y, 1)], 1)
    counted = torch.clamp_min(torch.sum(torch.ne(y, -100)), 1)
    return torch.cross_entropy_loss(self.forward(x), y, None, 2) / counted
)"};
}

}  // namespace hansa::learning::built_in
