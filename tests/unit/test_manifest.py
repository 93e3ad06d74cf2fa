"""Manifests: ESPHome's version 2, every fault named by its field."""

import json
from pathlib import Path

import pytest

from bluering.models.errors import ModelError
from bluering.models.manifest import parse_manifest, read_manifest
from bluering.models.packaged import compiled_word, packaged, packaged_names


def content() -> dict:
    return {
        "type": "micro",
        "wake_word": "Hey Juniper",
        "author": "somebody",
        "website": "https://example.org/",
        "model": "hey_juniper.tflite",
        "trained_languages": ["en"],
        "version": 2,
        "micro": {
            "probability_cutoff": 0.97,
            "sliding_window_size": 5,
            "feature_step_size": 10,
            "tensor_arena_size": 22348,
            "minimum_esphome_version": "2024.7.0",
        },
    }


def changed(key: str, value: object) -> str:
    """The manifest with one field changed, or left out when the value is Ellipsis."""
    manifest = content()
    *outer, last = key.split(".")
    inner = manifest[outer[0]] if outer else manifest
    if value is ...:
        del inner[last]
    else:
        inner[last] = value
    return json.dumps(manifest)


def test_a_manifest_is_read() -> None:
    manifest = parse_manifest(json.dumps(content()))
    assert manifest.wake_word == "Hey Juniper"
    assert manifest.micro.minimum_esphome_version == "2024.7.0"
    assert (manifest.cutoff, manifest.window) == (247, 5)  # int(0.97 * 255)


def test_the_device_is_told_what_its_detector_needs() -> None:
    told = json.loads(parse_manifest(json.dumps(content())).model_dump_json())
    assert (told["wake_word"], told["cutoff"], told["window"]) == ("Hey Juniper", 247, 5)


def test_the_website_may_be_missing() -> None:
    assert parse_manifest(changed("website", ...)).website is None


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("wake_word", ...),
        ("wake_word", ""),
        ("author", ...),
        ("model", ...),
        ("type", "openwakeword"),
        ("version", 3),
        ("version", ...),
        ("trained_languages", "en"),
        ("nonsense", 1),
        ("micro", ...),
        ("micro.probability_cutoff", 1.5),
        ("micro.probability_cutoff", 0),
        ("micro.probability_cutoff", "high"),
        ("micro.sliding_window_size", 0),
        ("micro.sliding_window_size", ...),
        ("micro.feature_step_size", 20),
        ("micro.tensor_arena_size", ...),
        ("micro.minimum_esphome_version", "soon"),
        ("micro.nonsense", 1),
    ],
)
def test_a_fault_is_named_by_its_field(key: str, value: object) -> None:
    with pytest.raises(ModelError) as caught:
        parse_manifest(changed(key, value))
    assert str(caught.value).startswith(f"{key}: ")


def test_every_fault_is_named() -> None:
    manifest = content()
    del manifest["author"]
    manifest["micro"]["sliding_window_size"] = -1
    with pytest.raises(ModelError, match=r"author: .*; micro\.sliding_window_size: "):
        parse_manifest(json.dumps(manifest))


def test_version_1_is_refused_with_the_reason() -> None:
    with pytest.raises(ModelError, match=r"version: 1 is for models that .* every 20 ms"):
        parse_manifest(changed("version", 1))


@pytest.mark.parametrize("text", ["", "{", "[]", "null", '"word"', "[" * 100_000])
def test_what_is_no_manifest_is_refused(text: str) -> None:
    with pytest.raises(ModelError):
        parse_manifest(text)


def test_a_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"missing\.json: can't be read"):
        read_manifest(tmp_path / "missing.json")
    (tmp_path / "bytes.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ModelError, match=r"bytes\.json: can't be read"):
        read_manifest(tmp_path / "bytes.json")


def test_all_packaged_words_are_ready() -> None:
    assert packaged_names() == ["alexa", "computer", "echo", "hey_echo"]
    for name in packaged_names():
        word = packaged(name)
        assert word.name == name
        assert word.source.name == word.manifest.model
        assert len(word.blob) > 20_000


def test_an_unknown_word_is_refused() -> None:
    with pytest.raises(ModelError, match="model 'gecko'; there is alexa, computer, echo, hey"):
        packaged("gecko")


def test_a_manifest_without_its_model_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "hey_juniper.json"
    path.write_text(json.dumps(content()))
    with pytest.raises(ModelError, match=r"hey_juniper\.tflite: can't be read: No such file"):
        compiled_word(path)
