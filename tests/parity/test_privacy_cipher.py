"""The device's cipher on both runtimes, against the library ``cryptography``."""

import json
import random
from pathlib import Path

from cryptography.hazmat.primitives import hashes, hmac
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ear.privacy import keys
from tests.targets import device


def _cases() -> list[dict]:
    rng = random.Random(7)
    lengths = [1, 15, 16, 17, 324, 400, 404]
    numbers = [0, 1, 255, 256, 65535]
    return [
        {
            "key": rng.randbytes(32).hex(),
            "salt": rng.randbytes(16).hex(),
            "boot": rng.choice([0, 1, 2**31 - 1, 2**32 - 1]),
            "number": rng.getrandbits(32),
            "sequence": rng.choice(numbers),
            "data": rng.randbytes(rng.choice(lengths)).hex(),
        }
        for _ in range(60)
    ]


def _hkdf(secret: bytes, salt: bytes, info: bytes, length: int) -> bytes:
    return HKDF(hashes.SHA256(), length, salt or None, info).derive(secret)


def _expected(case: dict) -> dict:
    key, salt = bytes.fromhex(case["key"]), bytes.fromhex(case["salt"])
    info = b"bluering recording 1" + case["boot"].to_bytes(4, "little")
    both = _hkdf(key, salt, info + case["number"].to_bytes(4, "little"), 64)
    counter = case["sequence"].to_bytes(12, "big") + bytes(4)
    encryptor = Cipher(algorithms.AES(both[:32]), modes.CTR(counter)).encryptor()
    data = encryptor.update(bytes.fromhex(case["data"]))
    tag = hmac.HMAC(both[32:], hashes.SHA256())
    tag.update(b"header" + data)
    return {
        "control": _hkdf(key, b"", b"bluering control 1", 32).hex(),
        "data": data.hex(),
        "tag": tag.finalize().hex(),
    }


def test_keys_ciphertexts_and_tags_equal_cryptography(micropython: Path, tmp_path: Path):
    cases = _cases()
    vectors = tmp_path / "vectors.json"
    vectors.write_text(json.dumps(cases))
    said = json.loads(device.run(micropython, "privacy_cipher.py", vectors))
    assert said["answers"] == [_expected(case) for case in cases]
    # RFC 5869, test case 1.
    assert said["hkdf"] == (
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865"
    )
    assert said["start_bytes"] <= 512
    assert said["apply_bytes"] <= 32
    assert said["tag_bytes"] <= 640


def test_hmac_is_the_one_of_rfc_4231():
    tag = keys.Hmac(b"Jefe").tag(b"what do ya want ", b"for nothing?")
    assert tag.hex() == "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
