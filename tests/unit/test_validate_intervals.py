"""Intervals against published values, and against what they promise."""

import numpy as np
import pytest
from scipy import stats

from bluering.validate.intervals import (
    clopper_pearson,
    holm,
    paired_p,
    paired_rise_p,
    poisson_rate,
    rates_p,
    rates_rise_p,
    shares_p,
    shares_rise_p,
)


@pytest.mark.parametrize(
    ("events", "trials", "low", "high"),
    [
        (0, 10, 0.0, 0.3085),
        (10, 10, 0.6915, 1.0),
        (5, 10, 0.1871, 0.8129),
        (3, 164, 0.0038, 0.0525),
    ],
)
def test_clopper_pearson_tables(events: int, trials: int, low: float, high: float) -> None:
    assert clopper_pearson(events, trials) == pytest.approx((low, high), abs=6e-5)


def test_none_in_ten_hours_is_at_most_three_tenths() -> None:
    low, high = poisson_rate(0, 10.0)
    assert low == 0.0
    assert high == pytest.approx(0.29957, abs=1e-4)


@pytest.mark.parametrize(
    ("events", "low", "high"), [(1, 0.0253, 5.5716), (10, 4.7954, 18.3904), (100, 81.364, 121.627)]
)
def test_garwood_tables(events: int, low: float, high: float) -> None:
    assert poisson_rate(events, 1.0) == pytest.approx((low, high), rel=2e-3)


@pytest.mark.parametrize("share", [0.02, 0.3])
def test_clopper_pearson_holds_the_truth_as_often_as_it_says(share: float) -> None:
    k = np.arange(101)
    held = [low <= share <= high for low, high in (clopper_pearson(int(i), 100) for i in k)]
    assert stats.binom.pmf(k, 100, share)[np.array(held)].sum() >= 0.95


def test_poisson_holds_the_truth_as_often_as_it_says() -> None:
    k = np.arange(200)
    for mean in (0.5, 3.2, 20.0):
        held = [low <= mean <= high for low, high in (poisson_rate(int(i), 1.0) for i in k)]
        # One-sided at none seen: the lower tail of the others may then stand alone.
        assert stats.poisson.pmf(k, mean)[np.array(held)].sum() >= 0.94


def test_mcnemar_is_a_fair_coin() -> None:
    assert paired_p(0, 0) == 1.0
    assert paired_p(0, 5) == pytest.approx(2 / 32)
    assert paired_p(3, 3) == 1.0
    assert paired_rise_p(0, 5) == pytest.approx(1 / 32)
    assert paired_rise_p(5, 0) == 1.0


def test_rates_are_compared_by_their_exposure() -> None:
    assert rates_p(10, 1.0, 20, 2.0) == 1.0
    assert rates_p(0, 10.0, 0, 10.0) == 1.0
    assert rates_p(2, 10.0, 30, 10.0) < 1e-4
    assert rates_rise_p(2, 10.0, 30, 10.0) < 1e-4
    assert rates_rise_p(30, 10.0, 2, 10.0) > 0.99


@pytest.mark.parametrize(("a", "n", "b", "m"), [(3, 50, 9, 60), (0, 10, 4, 12), (7, 9, 2, 30)])
def test_one_sided_tests_are_scipys(a: int, n: int, b: int, m: int) -> None:
    table = [[b, m - b], [a, n - a]]
    _, fisher = np.asarray(stats.fisher_exact(table, alternative="greater"))
    assert shares_rise_p(a, n, b, m) == pytest.approx(fisher)
    assert shares_p(b, m, a, n) == shares_p(a, n, b, m) <= 2 * shares_rise_p(a, n, b, m)
    poisson = stats.binomtest(b, a + b, m / (n + m), alternative="greater").pvalue
    assert rates_rise_p(a, n, b, m) == pytest.approx(poisson)
    mcnemar = stats.binomtest(b, a + b).pvalue
    assert paired_p(a, b) == pytest.approx(mcnemar)


def test_holm_adjusts_in_order() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@pytest.mark.parametrize(("events", "trials"), [(5, 4), (-1, 4), (0, 0)])
def test_no_share_of_nothing(events: int, trials: int) -> None:
    with pytest.raises(ValueError, match="no share"):
        clopper_pearson(events, trials)
