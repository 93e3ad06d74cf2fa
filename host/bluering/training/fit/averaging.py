"""Averages of weights over the course of training, in place of the last ones.

The worst false accepts change from step to step. The mean lies in a flat region of the loss, where
real speech and rounding to int8 do less harm (Izmailov et al., "Averaging Weights Leads to Wider
Optima and Better Generalization", 2018; Cha et al., "SWAD", 2021).

Fine-tuned copies of one network can be averaged too, and have fewer false accepts in common (Ramé
et al., "Diverse Weight Averaging for Out-of-Distribution Generalization", 2022).
"""

from collections.abc import Sequence

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

_FIRST = 0.25  # the share of the steps before the mean begins


def one_cycle(optimiser: Optimizer, rate: float, steps: int, warm_up: float) -> OneCycleLR:
    """A schedule whose rate never gets small: the mean needs weights that keep moving. warm_up: the
    share of the steps before the highest rate."""
    return OneCycleLR(optimiser, rate, total_steps=steps, pct_start=warm_up, final_div_factor=0.1)


def new_mean(net: nn.Module) -> AveragedModel:
    """An empty mean of weights and buffers."""
    return AveragedModel(net, use_buffers=True)


def update(mean: AveragedModel, net: nn.Module, step: int, steps: int) -> None:
    """Take in the weights after a step, counted from 0, of so many steps."""
    if step >= int(_FIRST * steps):
        mean.update_parameters(net)


def mean_of(nets: Sequence[nn.Module]) -> nn.Module:
    """A network whose weights are the mean of those of several."""
    mean = new_mean(nets[0])
    for net in nets:
        mean.update_parameters(net)
    return mean.module
