"""Exact intervals: Clopper-Pearson for shares, Garwood's Poisson for rates; paired exact tests."""

import numpy as np
from scipy import stats

CONFIDENCE = 0.95

Interval = tuple[float, float]


def clopper_pearson(events: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Two-sided exact interval of a share (Clopper and Pearson 1934)."""
    if not 0 <= events <= trials or trials == 0:
        raise ValueError(f"{events} of {trials} is no share")
    tail = (1 - confidence) / 2
    low = 0.0 if events == 0 else stats.beta.ppf(tail, events, trials - events + 1)
    high = 1.0 if events == trials else stats.beta.ppf(1 - tail, events + 1, trials - events)
    return float(low), float(high)


def poisson_rate(events: int, exposure: float, confidence: float = CONFIDENCE) -> Interval:
    """Two-sided exact interval of a rate, events per unit of exposure (Garwood 1936).

    With no event at all there is nothing on the lower side to be wrong about: the interval is
    one-sided, its upper end 3.0 / exposure at 95 % ("the rule of three").
    """
    if events < 0 or exposure <= 0:
        raise ValueError(f"{events} events in {exposure} is no rate")
    if events == 0:
        return 0.0, float(stats.chi2.ppf(confidence, 2) / 2 / exposure)
    tail = (1 - confidence) / 2
    low = stats.chi2.ppf(tail, 2 * events) / 2
    high = stats.chi2.ppf(1 - tail, 2 * events + 2) / 2
    return float(low / exposure), float(high / exposure)


def paired_p(only_first: int, only_second: int) -> float:
    """McNemar's exact two-sided p: the events seen by one side only are a fair coin."""
    if only_first + only_second == 0:
        return 1.0
    return float(stats.binomtest(only_first, only_first + only_second).pvalue)


def paired_rise_p(only_first: int, only_second: int) -> float:
    """One-sided p that the second side has no more events than the first."""
    if only_first + only_second == 0:
        return 1.0
    test = stats.binomtest(only_second, only_first + only_second, alternative="greater")
    return float(test.pvalue)


def shares_p(first: int, first_trials: int, second: int, second_trials: int) -> float:
    """Two-sided p that two shares are equal: Fisher's exact test."""
    table = [[first, first_trials - first], [second, second_trials - second]]
    return float(np.asarray(stats.fisher_exact(table))[1])


def shares_rise_p(first: int, first_trials: int, second: int, second_trials: int) -> float:
    """One-sided p that the second share is no higher than the first."""
    table = [[second, second_trials - second], [first, first_trials - first]]
    return float(np.asarray(stats.fisher_exact(table, alternative="greater"))[1])


def rates_p(first: int, first_exposure: float, second: int, second_exposure: float) -> float:
    """Two-sided p that two Poisson rates are equal: the conditional binomial test."""
    if first + second == 0:
        return 1.0
    share = first_exposure / (first_exposure + second_exposure)
    return float(stats.binomtest(first, first + second, share).pvalue)


def rates_rise_p(first: int, first_exposure: float, second: int, second_exposure: float) -> float:
    """One-sided p that the second Poisson rate is no higher than the first."""
    if first + second == 0:
        return 1.0
    share = second_exposure / (first_exposure + second_exposure)
    return float(stats.binomtest(second, first + second, share, alternative="greater").pvalue)


def holm(p_values: list[float]) -> list[float]:
    """Adjusted p-values, in the given order, for so many tests at once (Holm 1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted
