"""Losses of the teacher and of the network. logits: (tracks, outputs)."""

from torch import Tensor
from torch.nn import functional


def missed(logits: Tensor, in_time: Tensor) -> Tensor:
    """The loss of the best output in time of each word; words without any don't count."""
    best = logits.masked_fill(~in_time, -1e4).amax(1)
    return mean_of(functional.softplus(-best), in_time.any(1))


def false_wakes(logits: Tensor, where: Tensor) -> Tensor:
    """The loss of outputs that must not wake."""
    return mean_of(functional.softplus(logits), where)


def mean_of(cost: Tensor, where: Tensor) -> Tensor:
    """The mean of the costs where `where` is true, 0 if nowhere."""
    return (cost * where).sum() / where.sum().clamp(min=1)


def negative(logits: Tensor, hardest: int) -> tuple[Tensor, Tensor]:
    """The loss of tracks without the word, with extra weight on the `hardest` highest outputs of
    each; and the loss of those in each track."""
    cost = functional.softplus(logits)
    worst = cost.topk(hardest, dim=1).values.mean(1)
    return cost.mean() + worst.mean(), worst.detach()
