#include "learning/internal/relu_max_pool.h"

#include <algorithm>
#include <optional>
#include <span>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <torch/csrc/autograd/custom_function.h>
#include <torch/csrc/jit/ir/constants.h>
#include <torch/csrc/jit/runtime/custom_operator.h>

#include "learning/internal/pool_kernels.h"

namespace hansa::learning {
namespace {

namespace jit = torch::jit;

constexpr const char* operator_name = "hansa::relu_max_pool2d";

PoolShape shape_of(at::IntArrayRef sizes) {
  return {static_cast<std::size_t>(sizes[0]), static_cast<std::size_t>(sizes[2]),
          static_cast<std::size_t>(sizes[3]), static_cast<std::size_t>(sizes[1])};
}

template <class T>
std::span<T> span_of(const at::Tensor& tensor) {
  return {tensor.data_ptr<std::remove_const_t<T>>(), static_cast<std::size_t>(tensor.numel())};
}

at::Tensor empty_channels_last(at::IntArrayRef sizes, at::ScalarType type) {
  return at::empty_strided(sizes, at::get_channels_last_strides_2d(sizes), type);
}

struct ReluMaxPool : torch::autograd::Function<ReluMaxPool> {
  static at::Tensor forward(torch::autograd::AutogradContext* context, const at::Tensor& x) {
    const std::vector<std::int64_t> sizes{x.size(0), x.size(1), x.size(2) / 2, x.size(3) / 2};
    const at::Tensor output = empty_channels_last(sizes, at::kFloat);
    const at::Tensor winners = empty_channels_last(sizes, at::kByte);
    relu_max_pool_forward(shape_of(x.sizes()), span_of<const float>(x), span_of<float>(output),
                          span_of<std::uint8_t>(winners));
    context->saved_data["sizes"] = x.sizes().vec();
    context->save_for_backward({winners});
    return output;
  }

  static torch::autograd::variable_list backward(torch::autograd::AutogradContext* context,
                                                 const torch::autograd::variable_list& gradients) {
    const at::Tensor winners = context->get_saved_variables()[0];
    at::Tensor gradient = gradients[0];
    if (gradient.strides() != winners.strides())
      gradient = empty_channels_last(winners.sizes(), at::kFloat).copy_(gradient);
    const std::vector<std::int64_t> sizes = context->saved_data["sizes"].toIntVector();
    const at::Tensor out = empty_channels_last(sizes, at::kFloat);
    relu_max_pool_backward(shape_of(sizes), span_of<const float>(gradient),
                           span_of<const std::uint8_t>(winners), span_of<float>(out));
    return {out};
  }
};

at::Tensor relu_max_pool(const at::Tensor& x) {
  const bool suits = x.dim() == 4 && x.scalar_type() == at::kFloat && x.device().is_cpu() && x.size(2) >= 2 &&
                     x.size(3) >= 2 && x.numel() > 0 &&
                     x.strides() == at::IntArrayRef(at::get_channels_last_strides_2d(x.sizes()));
  return suits ? ReluMaxPool::apply(x) : at::relu(at::max_pool2d(x, {2, 2}));
}

// LibTorch's table of operators is filled when the program starts, and is constant afterwards.
const jit::RegisterOperators registration({jit::Operator(
    std::string(operator_name) + "(Tensor x) -> Tensor",
    [](jit::Stack& stack) {
      const at::Tensor x = jit::pop(stack).toTensor();
      jit::push(stack, relu_max_pool(x));
    },
    c10::AliasAnalysisKind::PURE_FUNCTION)});

std::optional<std::vector<std::int64_t>> constant_ints(jit::Value* value) {
  if (const auto constant = jit::toIValue(value); constant && constant->isIntList())
    return constant->toIntVector();
  const jit::Node* node = value->node();
  if (node->kind() != c10::prim::ListConstruct) return std::nullopt;
  std::vector<std::int64_t> out;
  for (const jit::Value* input : node->inputs()) {
    const auto constant = jit::toIValue(input);
    if (!constant || !constant->isInt()) return std::nullopt;
    out.push_back(constant->toInt());
  }
  return out;
}

bool all_equal(jit::Value* value, std::int64_t wanted) {
  const auto ints = constant_ints(value);
  return ints && std::all_of(ints->begin(), ints->end(), [&](std::int64_t i) { return i == wanted; });
}

bool is_plain_pool(const jit::Node* node) {
  if (std::string_view(node->kind().toQualString()) != "aten::max_pool2d" || node->inputs().size() != 6)
    return false;
  const auto ceil_mode = jit::toIValue(node->input(5));
  const auto kernel = constant_ints(node->input(1));
  return kernel && !kernel->empty() && all_equal(node->input(1), 2) && all_equal(node->input(2), 2) &&
         all_equal(node->input(3), 0) && all_equal(node->input(4), 1) && ceil_mode && ceil_mode->isBool() &&
         !ceil_mode->toBool();
}

bool is_relu(const jit::Node* node) {
  const std::string_view kind = node->kind().toQualString();
  // The in-place variant is equivalent if nothing else uses its input.
  return kind == "aten::relu" || (kind == "aten::relu_" && node->input(0)->uses().size() == 1 &&
                                  node->input(0)->node()->kind() != c10::prim::Param);
}

void collect_pairs(jit::Block* block, std::vector<std::pair<jit::Node*, jit::Node*>>& pairs) {
  for (jit::Node* second : block->nodes()) {
    for (jit::Block* inner : second->blocks()) collect_pairs(inner, pairs);
    if (second->inputs().empty() || second->outputs().size() != 1) continue;
    jit::Node* first = second->input(0)->node();
    if (first->owningBlock() != block || first->outputs().size() != 1 || first->output()->uses().size() != 1)
      continue;
    if (!pairs.empty() && pairs.back().second == first)
      continue;  // in relu, pool, relu the pool belongs to one pair only
    if ((is_relu(first) && is_plain_pool(second)) || (is_plain_pool(first) && is_relu(second)))
      pairs.emplace_back(first, second);
  }
}

}  // namespace

std::size_t fuse_relu_max_pool(const std::shared_ptr<jit::Graph>& graph) {
  std::vector<std::pair<jit::Node*, jit::Node*>> pairs;
  collect_pairs(graph->block(), pairs);
  for (const auto& [first, second] : pairs) {
    jit::Node* fused = graph->create(c10::Symbol::fromQualString(operator_name), {first->input(0)});
    fused->insertBefore(first);
    second->output()->replaceAllUsesWith(fused->output());
    second->destroy();
    first->destroy();
  }
  return pairs.size();
}

}  // namespace hansa::learning
