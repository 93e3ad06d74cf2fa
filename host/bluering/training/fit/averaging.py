"""The mean of a network's weights on its way, in place of the last ones.

From step to step the worst false accepts are others, and where all the ways meet is a flat place,
which speech that nobody synthesised and int8 don't leave as soon (Izmailov et al., "Averaging
Weights Leads to Wider Optima and Better Generalization", 2018; Cha et al., "SWAD", 2021).

Networks that went on from one place apart can be averaged as well, and what they are fooled by has
less in common (Ramé et al., "Diverse Weight Averaging for Out-of-Distribution Generalization",
2022).
"""

from collections.abc import Sequence

from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import OneCycleLR
from torch.optim.swa_utils import AveragedModel

_FIRST = 0.25  # of the steps are over when the mean begins


def steady(optimiser: Optimizer, rate: float, steps: int, warm_up: float) -> OneCycleLR:
    """A schedule that never gets small: the mean needs steps that go on going their ways. warm_up:
    the share of the steps until the highest rate."""
    return OneCycleLR(optimiser, rate, total_steps=steps, pct_start=warm_up, final_div_factor=0.1)


def begun(net: nn.Module) -> AveragedModel:
    """A mean of nothing yet, buffers included."""
    return AveragedModel(net, use_buffers=True)


def take(mean: AveragedModel, net: nn.Module, step: int, steps: int) -> None:
    """After each step, counted from 0."""
    if step >= int(_FIRST * steps):
        mean.update_parameters(net)


def mean_of(nets: Sequence[nn.Module]) -> nn.Module:
    """A network with the mean of the weights of several."""
    mean = begun(nets[0])
    for net in nets:
        mean.update_parameters(net)
    return mean.module
