"""What outputs cost, of teacher and network alike. logits: (tracks, outputs)."""

from torch import Tensor
from torch.nn import functional


def missed(logits: Tensor, in_time: Tensor) -> Tensor:
    """One output in time is enough for each word; words without any don't count."""
    best = logits.masked_fill(~in_time, -1e4).amax(1)
    return mean_of(functional.softplus(-best), in_time.any(1))


def woken(logits: Tensor, where: Tensor) -> Tensor:
    """None of these outputs may wake."""
    return mean_of(functional.softplus(logits), where)


def mean_of(cost: Tensor, where: Tensor) -> Tensor:
    """The mean of some of the costs, 0 of none."""
    return (cost * where).sum() / where.sum().clamp(min=1)


def negative(logits: Tensor, hardest: int) -> tuple[Tensor, Tensor]:
    """Of tracks without the word: all outputs low, the highest ones above all; and what those cost
    in each track."""
    cost = functional.softplus(logits)
    worst = cost.topk(hardest, dim=1).values.mean(1)
    return cost.mean() + worst.mean(), worst.detach()
