#!/usr/bin/env python3
"""Exports a PyTorch module for a federation, and loads a federation's model into the module.

    hansa_export.py export MODEL.py:CLASS OUT.pt [--check client.toml] [--arguments JSON]
        Creates an object of CLASS, compiles it with TorchScript and saves it. With --check, `hansa model check` then
        trains it for one step on a client's data, as a client would.

    hansa_export.py load RUN[@ROUND] MODEL.py:CLASS OUT.pth [--arguments JSON]
        Loads the global model of a run (its last round, or ROUND) into an object of CLASS, and saves its state_dict.

Both are also functions: export_module() and load_run(). The program `hansa` is found in PATH, or named by --hansa.

A module must have forward(x). It may have two more methods, each marked with @torch.jit.export:
training_loss(x, y) -> a tensor with one number, and metrics(x, y) -> Dict[str, Tuple[Tensor, Tensor]]: for each name a
sum over the batch and the number of examples in it.
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


class Unfit(Exception):
    """The reason why Hansa cannot train a module, in one line."""


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


def export_module(module, path):
    """Compiles the module and writes an archive for [model] archive in federation.toml."""
    check_parameters(module)
    module.train()
    try:
        script = torch.jit.script(module)
    except Exception as error:  # TorchScript raises many kinds, all with the source line in the text
        raise Unfit(f"TorchScript cannot compile it: {error}") from error
    script.save(path)


def check_archive(path, client, hansa="hansa"):
    """Trains one step on the client's data, as the client would; raises Unfit with the message of `hansa`."""
    result = subprocess.run([hansa, "model", "check", path, "--data", client], capture_output=True, text=True)
    if result.returncode != 0:
        raise Unfit(result.stderr.strip())
    return result.stdout.strip()


def load_run(run, module, hansa="hansa"):
    """Loads the global model of a run, FOLDER or FOLDER@ROUND, into the module."""
    with tempfile.TemporaryDirectory() as folder:
        archive = os.path.join(folder, "global.pt")
        result = subprocess.run([hansa, "model", "export", run, archive], capture_output=True, text=True)
        if result.returncode != 0:
            raise Unfit(result.stderr.strip())
        module.load_state_dict(torch.jit.load(archive).state_dict())
    return module


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


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--hansa", default="hansa", help="the program hansa, if it is not in PATH")
    commands = parser.add_subparsers(dest="command", required=True)
    export = commands.add_parser("export", help="write a module as an archive")
    export.add_argument("model", metavar="MODEL.py:CLASS")
    export.add_argument("out", metavar="OUT.pt")
    export.add_argument("--check", metavar="client.toml", help="train one step on this client's data")
    load = commands.add_parser("load", help="write a run's global model as a state_dict")
    load.add_argument("run", metavar="RUN[@ROUND]")
    load.add_argument("model", metavar="MODEL.py:CLASS")
    load.add_argument("out", metavar="OUT.pth")
    for command in (export, load):
        command.add_argument("--arguments", type=json.loads, default={}, metavar="JSON",
                             help="arguments of the class, as a JSON object")
    options = parser.parse_args()
    try:
        module = make_module(options.model, options.arguments)
        if options.command == "export":
            export_module(module, options.out)
            print(f"{options.out}: {sum(p.numel() for p in module.parameters())} parameters")
            if options.check:
                print(check_archive(options.out, options.check, options.hansa))
        else:
            torch.save(load_run(options.run, module, options.hansa).state_dict(), options.out)
            print(f"{options.out}: the state_dict of {options.run}")
    except (Unfit, OSError) as error:
        print(f"hansa_export: {error}", file=sys.stderr)
        return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
