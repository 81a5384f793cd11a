"""A TorchScript archive of one linear layer: linear_model.py INPUTS OUTPUTS FILE; (INPUTS + 1) * OUTPUTS parameters."""
import sys

import torch

torch.jit.script(torch.nn.Linear(int(sys.argv[1]), int(sys.argv[2]))).save(sys.argv[3])
