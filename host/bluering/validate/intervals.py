"""Exact intervals: Clopper-Pearson for shares, Garwood's Poisson for rates; paired exact tests."""

from scipy import special

CONFIDENCE = 0.95

Interval = tuple[float, float]


def clopper_pearson(events: int, trials: int, confidence: float = CONFIDENCE) -> Interval:
    """Two-sided exact interval of a share (Clopper and Pearson 1934)."""
    if not 0 <= events <= trials or trials == 0:
        raise ValueError(f"{events} of {trials} is no share")
    tail = (1 - confidence) / 2
    low = special.betaincinv(events, trials - events + 1, tail) if events else 0.0
    high = special.betaincinv(events + 1, trials - events, 1 - tail) if events < trials else 1.0
    return float(low), float(high)


def poisson_rate(events: int, exposure: float, confidence: float = CONFIDENCE) -> Interval:
    """Two-sided exact interval of a rate, events per unit of exposure (Garwood 1936).

    With no event at all there is nothing on the lower side to be wrong about: the interval is
    one-sided, its upper end 3.0 / exposure at 95 % ("the rule of three").
    """
    if events < 0 or exposure <= 0:
        raise ValueError(f"{events} events in {exposure} is no rate")
    if events == 0:
        return 0.0, float(special.gammaincinv(1, confidence) / exposure)
    tail = (1 - confidence) / 2
    low = special.gammaincinv(events, tail)
    high = special.gammaincinv(events + 1, 1 - tail)
    return float(low / exposure), float(high / exposure)


def paired_p(only_first: int, only_second: int) -> float:
    """McNemar's exact two-sided p: the events seen by one side only are a fair coin."""
    return _two_sided(
        paired_rise_p(only_second, only_first), paired_rise_p(only_first, only_second)
    )


def paired_rise_p(only_first: int, only_second: int) -> float:
    """One-sided p that the second side has no more events than the first."""
    return _at_least(only_second, only_first + only_second, 0.5)


def rates_p(first: int, first_exposure: float, second: int, second_exposure: float) -> float:
    """Two-sided p that two Poisson rates are equal: the conditional binomial test."""
    return _two_sided(
        rates_rise_p(second, second_exposure, first, first_exposure),
        rates_rise_p(first, first_exposure, second, second_exposure),
    )


def rates_rise_p(first: int, first_exposure: float, second: int, second_exposure: float) -> float:
    """One-sided p that the second Poisson rate is no higher than the first."""
    return _at_least(second, first + second, second_exposure / (first_exposure + second_exposure))


def shares_p(first: int, first_trials: int, second: int, second_trials: int) -> float:
    """Two-sided p that two shares are equal: Fisher's exact test."""
    return _two_sided(
        shares_rise_p(second, second_trials, first, first_trials),
        shares_rise_p(first, first_trials, second, second_trials),
    )


def shares_rise_p(first: int, first_trials: int, second: int, second_trials: int) -> float:
    """One-sided p that the second share is no higher than the first."""
    from scipy.stats import hypergeom  # takes a second to import, and is rarely needed

    trials, events = first_trials + second_trials, first + second
    return float(hypergeom.sf(second - 1, trials, events, second_trials))


def _at_least(events: int, trials: int, share: float) -> float:
    """The probability of so many events or more."""
    return 1.0 if events == 0 else float(special.bdtrc(events - 1, trials, share))


def _two_sided(one: float, other: float) -> float:
    """Twice the smaller tail."""
    return min(1.0, 2 * min(one, other))


def holm(p_values: list[float]) -> list[float]:
    """Adjusted p-values, in the given order, for so many tests at once (Holm 1979)."""
    order = sorted(range(len(p_values)), key=p_values.__getitem__)
    adjusted = [0.0] * len(p_values)
    largest = 0.0
    for rank, index in enumerate(order):
        largest = max(largest, min(1.0, p_values[index] * (len(p_values) - rank)))
        adjusted[index] = largest
    return adjusted
