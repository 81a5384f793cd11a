"""Low-rank adapters (LoRA; Hu et al., "LoRA: Low-Rank Adaptation of Large Language Models", ICLR 2022, section 4.1) for
modules that a federation fine-tunes: a layer computes W x + (alpha / rank) B A x, where W is frozen, and A and B are
trained. Only A and B travel between clients and aggregator.

    add_lora(module, match=["*.attention.*"], rank=8)     replaces layers of the module by layers with adapters
    merge_lora(state, module)                             loads trained adapters into a module without adapters
    freeze(module, match=["backbone.*"])                  freezes parameters, without adapters

The layers keep the names of their parameters (`weight`, `bias`), so the state_dict of a module with adapters is that of
the plain module and three more tensors for each layer: lora_A, lora_B, and lora_scaling (alpha / rank), a buffer.
"""
import math
from fnmatch import fnmatchcase

import torch
from torch import Tensor, nn
from torch.nn import functional


class Unfit(Exception):
    """The reason why Hansa cannot train a module, in one line."""


ADAPTER = ("lora_A", "lora_B", "lora_scaling")


def take_over(adapter, layer, a, b, scaling):
    """Gives the adapter the frozen tensors of the layer, and its own A, B and scaling."""
    # The same Parameter objects: a weight that is tied to another layer stays tied.
    adapter.weight = layer.weight
    adapter.register_parameter("bias", getattr(layer, "bias", None))
    device = layer.weight.device
    adapter.lora_A = nn.Parameter(a.to(device))
    adapter.lora_B = nn.Parameter(b.to(device))
    # A buffer rather than a number, so that a traced archive has it too.
    adapter.register_buffer("lora_scaling", torch.tensor(scaling, dtype=torch.float32, device=device))
    adapter.train(layer.training)


def kaiming(*shape):
    """The initial values of A: those that nn.Linear gives its weight."""
    values = torch.zeros(*shape)
    nn.init.kaiming_uniform_(values, a=math.sqrt(5))
    return values


class LoraLinear(nn.Linear):
    """nn.Linear with an adapter. A: [rank, in], B: [out, rank]."""

    def __init__(self, layer, rank: int, scaling: float):
        nn.Module.__init__(self)
        self.in_features = layer.in_features
        self.out_features = layer.out_features
        take_over(self, layer, kaiming(rank, layer.in_features), torch.zeros(layer.out_features, rank), scaling)

    def forward(self, input: Tensor) -> Tensor:
        adapted = functional.linear(functional.linear(input, self.lora_A), self.lora_B)
        return functional.linear(input, self.weight, self.bias) + self.lora_scaling * adapted


class LoraTransposedLinear(nn.Module):
    """The layer Conv1D of GPT-2 in Hugging Face's transformers, a linear layer whose weight is [in, out], with an
    adapter. A: [rank, in], B: [out, rank]."""

    def __init__(self, layer, rank: int, scaling: float):
        super().__init__()
        inputs, outputs = layer.weight.shape
        self.nf = outputs
        take_over(self, layer, kaiming(rank, inputs), torch.zeros(outputs, rank), scaling)

    def forward(self, x: Tensor) -> Tensor:
        adapted = functional.linear(functional.linear(x, self.lora_A), self.lora_B)
        return torch.matmul(x, self.weight) + self.bias + self.lora_scaling * adapted


class LoraEmbedding(nn.Embedding):
    """nn.Embedding with an adapter. A: [rank, rows], B: [dimension, rank]. Here A is zero at first and B is random:
    a row that no example selects has its own column of A, which has no gradient, so that the row keeps its values up
    to the rounding of updates."""

    def __init__(self, layer, rank: int, scaling: float):
        nn.Module.__init__(self)
        for name in ("num_embeddings", "embedding_dim", "padding_idx", "max_norm", "norm_type", "scale_grad_by_freq",
                     "sparse"):
            setattr(self, name, getattr(layer, name))
        a, b = torch.zeros(rank, layer.num_embeddings), torch.randn(layer.embedding_dim, rank)
        take_over(self, layer, a, b, scaling)

    def forward(self, input: Tensor) -> Tensor:
        rows = functional.embedding(input, self.weight, self.padding_idx)
        adapted = functional.embedding(input, self.lora_A.t(), self.padding_idx)
        return rows + self.lora_scaling * functional.linear(adapted, self.lora_B)


def take_over_convolution(adapter, layer, rank, scaling):
    for name in [*nn.Conv1d.__constants__, "transposed"]:
        setattr(adapter, name, getattr(layer, name))
    adapter._reversed_padding_repeated_twice = layer._reversed_padding_repeated_twice
    shape = layer.weight.shape
    take_over(adapter, layer, kaiming(rank, shape[1:].numel()), torch.zeros(shape[0], rank), scaling)


class LoraConv1d(nn.Conv1d):
    """nn.Conv1d with an adapter. A: [rank, in / groups * kernel], B: [out, rank]; B A is added to the weight."""

    def __init__(self, layer, rank: int, scaling: float):
        nn.Module.__init__(self)
        take_over_convolution(self, layer, rank, scaling)

    def forward(self, input: Tensor) -> Tensor:
        change = torch.matmul(self.lora_B, self.lora_A).reshape(self.weight.shape)
        return self._conv_forward(input, self.weight + self.lora_scaling * change, self.bias)


class LoraConv2d(nn.Conv2d):
    """nn.Conv2d with an adapter, like LoraConv1d."""

    def __init__(self, layer, rank: int, scaling: float):
        nn.Module.__init__(self)
        take_over_convolution(self, layer, rank, scaling)

    def forward(self, input: Tensor) -> Tensor:
        change = torch.matmul(self.lora_B, self.lora_A).reshape(self.weight.shape)
        return self._conv_forward(input, self.weight + self.lora_scaling * change, self.bias)


def is_transposed_linear(layer):
    """Conv1D of Hugging Face, recognised by name and shape, because transformers may not be installed."""
    weight = getattr(layer, "weight", None)
    return (type(layer).__name__ == "Conv1D" and isinstance(weight, nn.Parameter) and weight.dim() == 2 and
            getattr(layer, "nf", None) == weight.shape[1] and getattr(layer, "bias", None) is not None)


# Exact types: a class that derives from one of these may compute something else.
ADAPTERS = {nn.Linear: LoraLinear, nn.Embedding: LoraEmbedding, nn.Conv1d: LoraConv1d, nn.Conv2d: LoraConv2d,
            # nn.MultiheadAttention's projection; check_use() finds that it is used without its adapter.
            nn.modules.linear.NonDynamicallyQuantizableLinear: LoraLinear}


def adapter_class(layer):
    """The class that adapts a layer, or None."""
    return LoraTransposedLinear if is_transposed_linear(layer) else ADAPTERS.get(type(layer))


def named_occurrences(module):
    """All (name, layer), also the second name of a layer that the module uses in two places."""
    return [(name, layer) for name, layer in module.named_modules(remove_duplicate=False) if name]


def parameter_names(module):
    """For each parameter its names; tied weights have several."""
    names = {}
    for prefix, layer in module.named_modules(remove_duplicate=False):
        for name, value in layer._parameters.items():
            if value is not None:
                known = names.setdefault(value, [])
                known.append(f"{prefix}.{name}" if prefix else name)
    return names


def some(names, count=12):
    names = list(names)
    return ", ".join(names[:count]) + (f" and {len(names) - count} more" if len(names) > count else "")


def matching_parameters(module, match, option, also=()):
    """The parameters with a name that one of the patterns matches; a pattern that matches neither a parameter nor a name
    in `also` is an error."""
    chosen = []
    names = parameter_names(module)
    for pattern in match:
        found = [value for value, known in names.items() if any(fnmatchcase(name, pattern) for name in known)]
        if not found and not any(fnmatchcase(name, pattern) for name in also):
            raise Unfit(f"{option} '{pattern}' matches no parameter; the parameters are "
                        f"{some(known[0] for known in names.values())}")
        chosen += found
    return chosen


class FrozenBatchNorm(nn.Module):
    """Batch normalisation with constant statistics. nn.BatchNorm*d would update them in training, and because its code
    can, they would be sent."""

    def __init__(self, layer):
        super().__init__()
        for name, value in layer._buffers.items():
            self.register_buffer(name, value)
        for name, value in layer._parameters.items():
            self.register_parameter(name, value)
        self.eps = float(layer.eps)

    def forward(self, input: Tensor) -> Tensor:
        shape = [1, -1] + [1] * (input.dim() - 2)
        scale = torch.rsqrt(self.running_var + self.eps)
        if self.weight is not None:
            scale = scale * self.weight
        shift = -self.running_mean * scale
        if self.bias is not None:
            shift = shift + self.bias
        return input * scale.reshape(shape) + shift.reshape(shape)


def batch_normalisation(module):
    """name -> layer, for the layers of batch normalisation that have statistics."""
    return {name: layer for name, layer in named_occurrences(module)
            if isinstance(layer, nn.modules.batchnorm._BatchNorm) and layer.running_mean is not None}


def freeze_normalisation(module, is_frozen):
    """Replaces the layers of batch normalisation for whose name is_frozen() is true."""
    for name, layer in batch_normalisation(module).items():
        if is_frozen(name):
            parent, _, last = name.rpartition(".")
            setattr(module.get_submodule(parent), last, FrozenBatchNorm(layer))


def matches(name, patterns):
    return any(fnmatchcase(name, pattern) for pattern in patterns)


def freeze(module, match):
    """Freezes the parameters that match, and the statistics of batch normalisation whose `running_mean` matches."""
    statistics = [f"{name}.running_mean" for name in batch_normalisation(module)]
    for value in matching_parameters(module, match, "--freeze", statistics):
        value.requires_grad_(False)
    freeze_normalisation(module, lambda name: matches(f"{name}.running_mean", match))


def candidates(module):
    return [name for name, layer in named_occurrences(module) if adapter_class(layer)]


def matching_layers(module, match):
    """name -> layer, for the layers that get an adapter."""
    occurrences = named_occurrences(module)
    chosen = {}
    for pattern in match:
        matched = [(name, layer) for name, layer in occurrences if fnmatchcase(name, pattern)]
        found = {name: layer for name, layer in matched if adapter_class(layer)}
        if not found:
            known = candidates(module)
            others = some((f"{name} ({type(layer).__name__})" for name, layer in matched), 3)
            why = f"matches no layer that can be adapted, only {others}" if matched else "matches no layer"
            raise Unfit(f"--match '{pattern}' {why}; " +
                        (f"layers that can be adapted are {some(known)}" if known else
                         "the module has no nn.Linear, nn.Embedding, nn.Conv1d or nn.Conv2d"))
        chosen.update(found)
    return chosen


def add_lora(module, match, rank, alpha=None, train=()):
    """Replaces the layers whose names match by layers with adapters, and freezes all other parameters except those that
    match `train`. alpha is 2 * rank if it is None. Draws A from torch's random generator. Returns the names of the
    layers."""
    if rank < 1:
        raise Unfit(f"--rank is {rank}, must be at least 1")
    alpha = 2.0 * rank if alpha is None else float(alpha)
    if not math.isfinite(alpha) or alpha <= 0:
        raise Unfit(f"--alpha is {alpha}, must be a number above 0")
    layers = matching_layers(module, match)
    in_full = matching_parameters(module, train, "--train") if train else []
    names = parameter_names(module)
    for name, layer in layers.items():
        # Merged into one of the two names, the change would appear under the other one too.
        others = [other for other in names[layer.weight]
                  if not any(other == f"{known}.weight" and same is layer for known, same in named_occurrences(module))]
        if others:
            raise Unfit(f"{name}.weight is also {others[0]}: a tied weight cannot have an adapter; "
                        "choose other layers, or train it with --train")
        largest = min(layer.weight.shape[0], layer.weight.shape[1:].numel())
        if rank > largest:
            raise Unfit(f"--rank {rank} is more than {largest}, the full rank of {name}")
        if isinstance(layer, nn.Embedding) and (layer.max_norm is not None or layer.scale_grad_by_freq or layer.sparse):
            raise Unfit(f"{name}: an embedding with max_norm, scale_grad_by_freq or sparse cannot have an adapter")
        if any(value is layer.weight for value in in_full):
            raise Unfit(f"{name}.weight is named by --train and {name} by --match; choose one")

    for value in module.parameters():
        value.requires_grad_(False)
    for value in in_full:
        value.requires_grad_(True)
    adapters = {}  # a layer that is used in two places has one adapter
    for name, layer in layers.items():
        if layer not in adapters:
            adapters[layer] = adapter_class(layer)(layer, rank, alpha / rank)
    for name, layer in named_occurrences(module):
        if layer in adapters:
            parent, _, last = name.rpartition(".")
            setattr(module.get_submodule(parent), last, adapters[layer])
    freeze_normalisation(module, lambda name: not matches(f"{name}.weight", train))
    for layer in module.modules():
        # Its fast path in evaluation reads the weights of its layers without calling them. This value, for a function
        # that the path does not know, makes the layer take its other path.
        if isinstance(layer, nn.TransformerEncoderLayer) and any(
                isinstance(part, LoraLinear) for part in layer.modules()):
            layer.activation_relu_or_gelu = 0
    return sorted(layers)


def paths_read(graph, prefix=""):
    """The attributes that compiled code reads, as paths from the module: "blocks.0.attention.query.lora_B"."""
    known = {next(graph.inputs()).debugName(): ""}
    read = set()
    blocks = [graph]
    while blocks:
        for node in blocks.pop().nodes():
            blocks += node.blocks()
            if node.kind() == "prim::GetAttr" and next(node.inputs()).debugName() in known:
                path = known[next(node.inputs()).debugName()]
                path = f"{path}.{node.s('name')}" if path else node.s("name")
                known[node.output().debugName()] = path
                read.add(path)
    return read


def check_use(script):
    """Checks that the compiled code uses each adapter: code that reads a layer's weight itself, as
    nn.MultiheadAttention does, passes its adapter by."""
    read = set()
    for method in ("forward", "training_loss"):
        if hasattr(script, method):
            read |= paths_read(getattr(script, method).inlined_graph)
    names = parameter_names(script)
    for value, known in names.items():
        if known[0].endswith(".lora_B") and not any(name in read for name in known):
            layer = known[0][:-len(".lora_B")]
            raise Unfit(f"the module's code does not call {layer}, but reads its weight, so that an adapter has no "
                        "effect (nn.MultiheadAttention does this: write the projections as nn.Linear); "
                        "choose other layers with --match")


def change_of(layer, a, b, scaling):
    """What an adapter adds to the weight of the plain layer."""
    change = scaling.double() * (b.double() @ a.double())
    if is_transposed_linear(layer) or isinstance(layer, nn.Embedding):
        change = change.t()
    return change.reshape(layer.weight.shape)


def merge_lora(state, module):
    """Loads the state_dict of a module with adapters into the plain module, with W + (alpha / rank) B A as weights.
    Returns the names of the merged layers."""
    state = dict(state)
    merged = [key[:-len(".lora_B")] for key in state if key.endswith(".lora_B")]
    if not merged:
        raise Unfit("the model has no adapters; use \"hansa_export.py load\"")
    layers = dict(named_occurrences(module))
    for name in merged:
        if name not in layers:
            raise Unfit(f"the model has an adapter for {name}, which the module does not have; "
                        "name the class and the --arguments that were exported")
        a, b, scaling = (state.pop(f"{name}.{part}") for part in ADAPTER)
        layer, weight = layers[name], state[f"{name}.weight"]
        if getattr(layer, "weight", None) is None or layer.weight.shape != weight.shape:
            raise Unfit(f"{name}.weight has another shape than in the module; "
                        "name the class and the --arguments that were exported")
        state[f"{name}.weight"] = (weight.double() + change_of(layer, a, b, scaling)).to(weight.dtype)
    load_state(module, state)
    return merged


def load_state(module, state):
    """module.load_state_dict, with an error of one line."""
    try:
        module.load_state_dict(state)
    except (RuntimeError, TypeError, AttributeError) as error:
        raise Unfit("the values do not fit the module: " + " ".join(str(error).split())) from error
