#!/usr/bin/env python3
"""Exports a PyTorch module for a federation, and loads a federation's model into the module.

    hansa_export.py export MODEL.py:CLASS OUT.pt [--freeze GLOB]... [--check client.toml]
        Creates an object of CLASS, compiles it with TorchScript and saves it. Parameters that match GLOB are frozen:
        they keep their values on every device and are never sent. So do the statistics of batch normalisation whose
        name (NAME.running_mean) matches.

    hansa_export.py lora MODEL.py:CLASS OUT.pt --rank R --match GLOB... [--alpha A] [--train GLOB]...
                    [--check client.toml]
        The same, but first adds low-rank adapters to the layers that match GLOB and freezes everything else, except
        the parameters that --train names. Only what is trained is sent (hansa_lora.py; docs/fine_tuning.md).

    hansa_export.py load RUN[@ROUND] MODEL.py:CLASS OUT.pth
        Loads the global model of a run (its last round, or ROUND) into an object of CLASS, and saves its state_dict.
        RUN may also be an archive, such as serving/global.pt of a client.

    hansa_export.py merge RUN[@ROUND] MODEL.py:CLASS OUT.pth
        The same for a model with adapters: the state_dict is that of CLASS without adapters, their changes added to its
        weights.

All take --arguments JSON, the arguments of CLASS. With --weights FILE, `export` and `lora` load a state_dict first, and
with --trace NAME they trace a submodule that TorchScript cannot compile. With --check, `hansa model check` trains one
step on a client's data, as a client would. GLOB is a pattern in the style of a shell (*, ?, [...]) for a whole name:
quote it.

These are also functions: export_module() and load_run() here, freeze(), add_lora() and merge_lora() in hansa_lora.py.
The program `hansa` is found in PATH, or named by --hansa.

A module must have forward(x). It may have two more methods, each marked with @torch.jit.export:
training_loss(x, y) -> a tensor with one number, and metrics(x, y) -> Dict[str, Tuple[Tensor, Tensor]]: for each name a
sum over the batch and the number of examples in it. --trace needs a method example_inputs(), not marked, that returns
the arguments of one call of forward as a tuple.
"""
import argparse
import importlib.util
import json
import os
import subprocess
import sys
import tempfile

try:
    import torch
except ImportError:
    sys.exit(f"hansa_export: {sys.executable} has no PyTorch; install Debian's python3-torch, or run this file with "
             "the Python that has it")

sys.path.append(os.path.dirname(os.path.realpath(__file__)))  # also if this file is imported or is a link
from hansa_lora import Unfit, add_lora, check_use, freeze, load_state, merge_lora


def check_parameters(module):
    """Checks what can be checked without data; `hansa model check` does the rest."""
    trainable = [name for name, value in module.named_parameters() if value.requires_grad]
    if not trainable:
        raise Unfit("no parameter has requires_grad: there is nothing to train")
    for name, value in module.named_parameters():
        if value.is_floating_point() and value.dtype != torch.float32:
            raise Unfit(f"{name} is {value.dtype}: call float() on the module first")
        if value.is_floating_point() and not torch.isfinite(value).all():
            raise Unfit(f"{name} holds NaN or infinite values")


def export_module(module, path, trace=()):
    """Compiles the module and writes an archive for [model] archive in federation.toml."""
    check_parameters(module)
    module.train()
    trace_parts(module, trace)
    try:
        script = torch.jit.script(module)
    except Exception as error:  # TorchScript raises many kinds, all with the source line in the text
        raise Unfit(f"TorchScript cannot compile it: {error}") from error
    check_use(script)
    script.save(path)


def trace_parts(module, names):
    """Replaces submodules by their traces: the operations of one call, without dropout."""
    if not names:
        return
    if not hasattr(module, "example_inputs"):
        raise Unfit(f"--trace needs a method example_inputs() of {type(module).__name__} that returns the arguments of "
                    "forward as a tuple")
    parts, calls = dict(module.named_modules()), {}
    for name in names:
        if not name or name not in parts:
            raise Unfit(f"--trace {name}: the module has no submodule of this name; it has "
                        f"{', '.join(child for child, _ in module.named_children())}")

    def recorder(name):
        def record(part, inputs):
            calls.setdefault(name, inputs)
        return record

    hooks = [parts[name].register_forward_pre_hook(recorder(name)) for name in names]
    try:
        with torch.no_grad():
            module(*module.example_inputs())
    except Exception as error:  # the module's own code may raise anything
        raise Unfit(f"forward fails on its example_inputs(): {error}") from error
    finally:
        for hook in hooks:
            hook.remove()
    for name in names:
        if name not in calls:
            raise Unfit(f"--trace {name}: forward does not call it")
        if not calls[name]:  # PyTorch 1.13 shows a hook no arguments that are passed by name
            raise Unfit(f"--trace {name}: forward calls it without positional arguments")
        parts[name].eval()
        parent, _, last = name.rpartition(".")
        try:
            with torch.no_grad():  # a trace has gradients all the same; here they would only need memory
                traced = torch.jit.trace(parts[name], calls[name])
        except Exception as error:
            raise Unfit(f"--trace {name}: PyTorch cannot trace it: {error}") from error
        setattr(module.get_submodule(parent), last, traced)


def check_archive(path, client, hansa="hansa"):
    """Trains one step on the client's data, as the client would; raises Unfit with the message of `hansa`."""
    result = subprocess.run([hansa, "model", "check", path, "--data", client], capture_output=True, text=True)
    if result.returncode != 0:
        raise Unfit(result.stderr.strip())
    return result.stdout.strip()


def run_state(run, hansa="hansa"):
    """The state_dict of the global model of a run, FOLDER or FOLDER@ROUND, or of an archive."""
    with tempfile.TemporaryDirectory() as folder:
        archive = run
        if not os.path.isfile(run):
            archive = os.path.join(folder, "global.pt")
            result = subprocess.run([hansa, "model", "export", run, archive], capture_output=True, text=True)
            if result.returncode != 0:
                raise Unfit(result.stderr.strip())
        try:
            return torch.jit.load(archive, map_location="cpu").state_dict()
        except RuntimeError as error:
            raise Unfit(f"{run} is no TorchScript archive: {str(error).splitlines()[0]}") from error


def load_run(run, module, hansa="hansa"):
    """Loads the global model of a run, FOLDER or FOLDER@ROUND, into the module."""
    state = run_state(run, hansa)
    if any(name.endswith(".lora_B") for name in state.keys() - module.state_dict().keys()):
        raise Unfit(f"the model of {run} has adapters; use \"hansa_export.py merge\"")
    load_state(module, state)
    return module


def load_weights(path, module):
    """Loads a file that torch.save(module.state_dict(), path) wrote."""
    try:
        # weights_only: a file from elsewhere may contain values, but no code.
        state = torch.load(path, map_location="cpu", weights_only=True)
    except OSError:
        raise
    except Exception as error:  # a damaged file raises many kinds
        why = " ".join(str(error).split())[:200] or type(error).__name__
        raise Unfit(f"{path} is no state_dict that torch.save wrote: {why}") from error
    if not isinstance(state, dict) or not all(isinstance(value, torch.Tensor) for value in state.values()):
        raise Unfit(f"{path} is no state_dict: a dictionary of tensors")
    load_state(module, state)


def make_module(where, arguments):
    """Creates an object of MODEL.py:CLASS."""
    path, colon, name = where.rpartition(":")
    if not colon:
        raise Unfit(f"\"{where}\" must be FILE.py:CLASS")
    if not os.path.exists(path):
        raise Unfit(f"{path} does not exist")
    spec = importlib.util.spec_from_file_location(os.path.splitext(os.path.basename(path))[0], path)
    source = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = source  # where TorchScript looks for the source
    spec.loader.exec_module(source)
    if not hasattr(source, name):
        raise Unfit(f"{path} has no class {name}")
    return getattr(source, name)(**arguments)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hansa", default="hansa", help="the program hansa, if it is not in PATH")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write a module as an archive")
    lora = commands.add_parser("lora", help="write a module with low-rank adapters as an archive")
    for command in (export, lora):
        command.add_argument("model", metavar="MODEL.py:CLASS")
        command.add_argument("out", metavar="OUT.pt")
        command.add_argument("--weights", metavar="FILE", help="load this state_dict of the module first")
        command.add_argument("--seed", type=int, default=1, help="seed of all that is drawn, the adapters too (1)")
        command.add_argument("--trace", action="append", default=[], metavar="NAME",
                             help="trace this submodule, which TorchScript cannot compile; may be repeated")
        command.add_argument("--check", metavar="client.toml", help="train one step on this client's data")
    export.add_argument("--freeze", action="append", default=[], metavar="GLOB",
                        help="freeze the parameters with these names; may be repeated")
    lora.add_argument("--rank", type=int, required=True, metavar="R", help="rank of the adapters")
    lora.add_argument("--alpha", type=float, metavar="A",
                      help="what the adapter computes is multiplied by A / R (default: A = 2 R)")
    lora.add_argument("--match", action="append", required=True, metavar="GLOB",
                      help="add adapters to the layers with these names; may be repeated")
    lora.add_argument("--train", action="append", default=[], metavar="GLOB",
                      help="train the parameters with these names in full; may be repeated")
    for name, text in (("load", "write a run's global model as a state_dict"),
                       ("merge", "write a run's global model as a state_dict, its adapters merged into the weights")):
        command = commands.add_parser(name, help=text)
        command.add_argument("run", metavar="RUN[@ROUND]")
        command.add_argument("model", metavar="MODEL.py:CLASS")
        command.add_argument("out", metavar="OUT.pth")
    for command in commands.choices.values():
        command.add_argument("--arguments", type=json.loads, default={}, metavar="JSON",
                             help="arguments of the class, as a JSON object")
    return parser.parse_args()


def write_archive(module, options):
    """The commands export and lora."""
    if options.weights:
        load_weights(options.weights, module)
    if options.command == "lora":
        torch.manual_seed(options.seed)  # the adapters do not depend on what the class has drawn
        layers = add_lora(module, options.match, options.rank, options.alpha, options.train)
        print(f"{options.out}: adapters for {', '.join(layers)}")
    else:
        freeze(module, options.freeze)
    values = list(module.parameters())
    trained = sum(value.numel() for value in values if value.requires_grad)
    export_module(module, options.out, options.trace)
    total = sum(value.numel() for value in values)
    print(f"{options.out}: {total} parameters, of which {trained} are trained and sent")
    if options.check:
        print(check_archive(options.out, options.check, options.hansa))


def main():
    options = arguments()
    try:
        if options.command in ("export", "lora"):
            torch.manual_seed(options.seed)
        module = make_module(options.model, options.arguments)
        if options.command in ("export", "lora"):
            write_archive(module, options)
        elif options.command == "load":
            torch.save(load_run(options.run, module, options.hansa).state_dict(), options.out)
            print(f"{options.out}: the state_dict of {options.run}")
        else:
            merged = merge_lora(run_state(options.run, options.hansa), module)
            torch.save(module.state_dict(), options.out)
            print(f"{options.out}: the state_dict of {options.run}, {len(merged)} adapters merged")
    except (Unfit, OSError) as error:
        print(f"hansa_export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
