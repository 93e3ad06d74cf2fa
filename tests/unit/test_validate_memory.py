"""The memory of a run doesn't grow with the length of a recording."""

import sys

import pytest

from tests.bench.validate import long_recording_megabytes


@pytest.mark.skipif(sys.platform != "linux", reason="ru_maxrss has other units elsewhere")
def test_half_an_hour_takes_no_more_than_five_minutes() -> None:
    short, long = long_recording_megabytes(5 / 60), long_recording_megabytes(0.5)
    assert long < 500
    assert long - short < 20
