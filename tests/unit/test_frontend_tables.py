"""The front end's committed tables are the ones that their generator computes."""

import math
from pathlib import Path

import numpy as np

from bluering.models import frontend_tables as generator
from ear.audio import frontend_tables as committed

# The bits of log1pf(n * 31.25 / 700) by glibc 2.36 (FDLIBM's algorithm), of all bins n where a
# correctly rounded result has others.
_FDLIBM = {
    6: 0x3E730628,
    13: 0x3EEA5136,
    15: 0x3F033A64,
    31: 0x3F5E6662,
    38: 0x3F7DEF00,
    50: 0x3F9629A0,
    56: 0x3FA05A8A,
    98: 0x3FD743DE,
    99: 0x3FD852E6,
    100: 0x3FD95FB6,
    108: 0x3FE17A54,
    115: 0x3FE82BC2,
    116: 0x3FE91962,
    126: 0x3FF20762,
    148: 0x4001DC92,
    216: 0x40175A58,
    218: 0x4017E338,
    225: 0x4019B97A,
    236: 0x401C8238,
    240: 0x401D7DE6,
}


def test_committed_tables_are_the_computed_ones(tmp_path: Path) -> None:
    path = tmp_path / "frontend_tables.py"
    generator.main([str(path)])
    assert path.read_text() == Path(committed.__file__).read_text()
    assert [found.name for found in tmp_path.iterdir()] == [path.name]


def test_bands_cover_the_bins_once() -> None:
    widths, weights = generator.bands()
    assert len(widths) == generator.CHANNELS + 1
    assert sum(widths) == len(weights) == 236  # bins 5 to 240
    assert generator.first_bin() == 5
    assert all(0 <= weight <= 4096 for weight in weights)


def test_log1p_is_within_a_last_bit_of_the_truth() -> None:
    for x in np.linspace(0.15, 12, 5000, dtype=np.float32):
        truth = np.float32(math.log1p(float(x)))
        assert abs(generator._log1p(x) - truth) <= np.spacing(truth)


def test_log1p_has_fdlibms_last_bit() -> None:
    for n, bits in _FDLIBM.items():
        x = np.float32(n * generator.HZ_PER_BIN) / np.float32(700)
        got = generator._log1p(x)
        assert got.view(np.uint32) == bits
        assert got != np.float32(math.log1p(float(x)))  # else it would tell nothing
