"""The network, training with int8 in the loop, and the model file."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch.nn import functional

from bluering.models.compiler import compile_model
from bluering.models.reference import scores
from bluering.models.tflite_reader import parse_tflite
from bluering.training.augment import embeddings
from bluering.training.augment.streams import Stream
from bluering.training.augment.tracks import FRAMES, MOMENTS, NOWHERE, Tracks
from bluering.training.augment.warp import Warp, warped
from bluering.training.fit.averaging import mean_of
from bluering.training.fit.lessons import Lessons
from bluering.training.fit.loop import Loop, Material
from bluering.training.fit.net import (
    BYTES_ALLOWED,
    MACS_ALLOWED,
    TEMPERATURE,
    Net,
    in_time,
    macs_a_step,
    receptive_rows,
    score,
)
from bluering.training.fit.quantised import QuantisedNet, write_tflite
from bluering.training.fit.scores import stream_scores
from bluering.training.fit.teacher import Teacher
from bluering.training.fit.train import branch, misses, quantise, train
from bluering.training.recipe import Batch, Network, Recipe, Training
from bluering.training.ship import judge
from bluering.validate.results import Trace
from bluering.validate.scoring import WakeFinder, hop_scores

torch.set_num_threads(1)  # more would wait for each other on a busy machine

SMALL = Network(first=8, channels=(8, 8), kernels=((5,), (3, 9)), head=4)
SHAPES = [Network(), SMALL, Network(stride=2, channels=(32,) * 4)]


def _rows(count: int, seed: int = 0, length: int = FRAMES) -> np.ndarray:
    # Smooth in time and frequency, as features are.
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 200, (count, length // 10 + 2, 5))
    fine = np.repeat(np.repeat(coarse, 10, 1), 8, 2)[:, :length]
    return fine.astype(np.uint8)


def _calibrated(net: QuantisedNet, x: torch.Tensor) -> QuantisedNet:
    for _ in range(60):
        net.train()(x)
    return net.eval()


def _trained(shape: Network) -> QuantisedNet:
    torch.manual_seed(1)
    net = Net(shape)
    x = torch.from_numpy(_rows(16)).float()
    net.train()
    for _ in range(10):
        net(x)
    return _calibrated(QuantisedNet(net.eval()), x)


@pytest.mark.parametrize("shape", SHAPES)
def test_folding_changes_nothing(shape: Network) -> None:
    torch.manual_seed(1)
    net = Net(shape)
    x = torch.from_numpy(_rows(8)).float()
    net.train()
    for _ in range(10):
        net(x)
    net.eval()
    folded = QuantisedNet(net).eval()
    folded.quantise = False
    with torch.no_grad():
        assert torch.allclose(folded(x), net(x), atol=1e-4)


def _unrounded(net: QuantisedNet) -> QuantisedNet:
    """The float network, without saturation."""
    net.quantise = False
    net.high.zero_()
    return net


@torch.no_grad()
def _with_unequal_channels(net: QuantisedNet) -> QuantisedNet:
    """The same function, with ranges of channels that differ by a factor of ten."""
    for index, following in enumerate(net.layers[1:]):
        gain = torch.logspace(-1, 0, len(net.biases[index]))
        net.weights[index] *= gain[:, None, None]
        net.biases[index] *= gain
        net.weights[index + 1] /= gain.view(
            (-1, 1, 1) if following.kind == "depthwise" else (1, -1, 1)
        )
    return net


def _varied(shape: Network, x: torch.Tensor) -> Net:
    """A network whose logits vary, so that their own rounding is small in comparison."""
    torch.manual_seed(1)
    net = Net(shape)
    for _ in range(40):
        net.train()(x)
    with torch.no_grad():
        net.head.weight *= 2 / net.eval()(x).std()
        net.head.bias -= net(x).mean()
    return net


@pytest.mark.parametrize("shape", SHAPES)
def test_equalised_channels_keep_the_function_and_reduce_rounding_errors(shape: Network) -> None:
    x = torch.from_numpy(_rows(16)).float()
    net = _varied(shape, x)
    unequal, equal = (_with_unequal_channels(QuantisedNet(net)) for _ in range(2))
    equal.equalise(x)

    @torch.no_grad()
    def rounded(found: QuantisedNet) -> float:
        wanted = net(x)
        error = float((_calibrated(found, x)(x) - wanted).abs().mean())
        torch.testing.assert_close(_unrounded(found)(x), wanted, rtol=1e-4, atol=1e-4)
        return error

    assert rounded(equal) < 0.6 * rounded(unequal)


@torch.no_grad()
@pytest.mark.parametrize("shape", SHAPES)
def test_bias_correction_removes_the_mean_rounding_error(shape: Network) -> None:
    x = torch.from_numpy(_rows(16)).float()
    net = _calibrated(_with_unequal_channels(QuantisedNet(_varied(shape, x))), x)
    net.quantise = False
    wanted = net(x)
    net.quantise = True
    before = abs(float((net(x) - wanted).mean()))
    net.correct(x)
    assert abs(float((net(x) - wanted).mean())) < 0.2 * before
    net.quantise = False
    assert torch.equal(net(x), wanted)  # without rounding there is nothing to take


@pytest.mark.parametrize("shape", [Network(), SMALL, Network(stride=1, channels=(24,) * 4)])
def test_the_compiled_model_agrees_with_the_int8_network(shape: Network) -> None:
    net = _trained(shape)
    blob = compile_model(parse_tflite(write_tflite(net, "test")))
    rows = _rows(1, seed=5)[0]
    with torch.no_grad():
        wanted = score(net(torch.from_numpy(rows[None]).float()))[0].numpy()
    found = scores(blob, rows) / 256
    # A product on the edge between two whole numbers may fall to either side: one step of a layer.
    assert np.abs(found[len(found) - len(wanted) :] - wanted).max() < 0.04 / TEMPERATURE


def test_the_default_network_keeps_to_its_budget() -> None:
    assert macs_a_step(Network()) <= MACS_ALLOWED
    assert len(write_tflite(_trained(Network()), "test")) <= BYTES_ALLOWED
    assert receptive_rows(Network()) < FRAMES - 100


def test_a_step_depends_only_on_its_receptive_field() -> None:
    torch.manual_seed(1)
    net = Net(SMALL).eval()
    length = (FRAMES - net.receptive) // net.stride * net.stride + net.receptive
    rows = _rows(1)[0][:length]
    before, within = rows.copy(), rows.copy()
    before[: -net.receptive] ^= 7
    within[-net.receptive] ^= 127
    with torch.no_grad():
        last = [net(torch.from_numpy(x[None]).float())[0, -1] for x in (rows, before, within)]
    assert torch.equal(last[0], last[1])
    assert not torch.equal(last[0], last[2])


@pytest.mark.parametrize("layout", [torch.contiguous_format, torch.channels_last])
def test_a_depthwise_layer_has_pytorchs_gradients(
    layout: torch.memory_format,
) -> None:
    torch.manual_seed(1)
    x, weight, bias = torch.randn(3, 8, 1, 30), torch.randn(8, 1, 7), torch.randn(8)
    x = x.contiguous(memory_format=layout)
    asked = [part.requires_grad_() for part in (x, weight, bias)]
    wanted = functional.conv2d(x, weight[:, :, None], bias, groups=8)
    given = torch.randn_like(wanted)
    found = in_time(x, weight, bias=bias)
    assert torch.equal(found, wanted)
    for mine, theirs in zip(
        torch.autograd.grad(found, asked, given),
        torch.autograd.grad(wanted, asked, given),
        strict=True,
    ):
        torch.testing.assert_close(mine, theirs)


def _tracks(count: int, word: bool, seed: int) -> Tracks:
    rows = _rows(count, seed)
    if word:
        rows[:, 200:240, 10:20] = 250
    place = np.full(count, 200 if word else NOWHERE, np.int16)
    end = np.full(count, 240 if word else NOWHERE, np.int16)
    zero = np.zeros(count, np.float32)
    embedded = np.random.default_rng(seed).normal(size=(count, MOMENTS, 96)).astype(np.float16)
    return Tracks(rows, place, end, np.zeros(count, np.int32), zero, zero, embedded)


def _stream(name: str, rows: np.ndarray) -> Stream:
    moments = (len(rows) - embeddings.FIRST) // embeddings.EVERY
    embedded = np.random.default_rng(1).normal(size=(moments, 96)).astype(np.float16)
    return Stream(name, rows, embedded)


def _material() -> Material:
    stream = _stream("talk", _rows(1, 9, 40_000)[0])
    held = _stream("talk", _rows(1, 10, 40_000)[0])
    words, others, held_out = _tracks(120, True, 1), _tracks(120, False, 2), _tracks(60, True, 3)
    torch.manual_seed(3)
    lessons = Lessons.by(Teacher().eval(), words, others, [stream])
    return Material(words, others, [stream], held_out, [held], lessons)


def test_it_learns_an_easy_word(tmp_path: Path) -> None:
    recipe = Recipe(phrase="word", network=SMALL, training=Training(steps=160, quantised_steps=60))
    material = _material()
    said: list[str] = []
    net = train(recipe, material, tmp_path / "a", lambda *line: said.append(line[2]))
    whole = quantise(recipe, material, net, tmp_path / "b", lambda *line: said.append(line[2]))
    blob = compile_model(parse_tflite(write_tflite(whole, "test")))
    word = [scores(blob, rows)[-60:].max() for rows in material.held_out_words.features]
    other = [scores(blob, rows)[-60:].max() for rows in material.others.features]
    assert np.median(word) > np.median(other) + 60
    assert "misses" in said[-1]


def test_resumed_training_ends_with_the_same_weights(tmp_path: Path, monkeypatch) -> None:
    monkeypatch.setattr("bluering.training.fit.train._SAVE_EVERY", 4)
    monkeypatch.setattr("bluering.training.fit.loop._SCAN_EVERY", 3)
    recipe = Recipe(phrase="word", network=SMALL, training=Training(steps=10, quantised_steps=10))

    class InterruptedTrainingError(Exception):
        pass

    def stop(done: int, _total: int, _line: str) -> None:
        if done == 6:
            raise InterruptedTrainingError

    def same(run: Callable[[Path, Callable[[int, int, str], None]], torch.nn.Module]) -> None:
        whole = run(tmp_path / "whole", lambda *_: None).state_dict()
        with pytest.raises(InterruptedTrainingError):
            run(tmp_path / "parts", stop)
        resumed = run(tmp_path / "parts", lambda *_: None).state_dict()
        assert all(torch.equal(whole[name], resumed[name]) for name in whole)
        (tmp_path / "whole").unlink()
        (tmp_path / "parts").unlink()

    same(lambda path, progress: train(recipe, _material(), path, progress))
    net = train(recipe, _material(), tmp_path / "float", lambda *_: None)
    same(lambda path, progress: quantise(recipe, _material(), net, path, progress))


def test_the_float_network_averages_the_last_three_quarters_of_the_steps(
    tmp_path: Path, monkeypatch
):
    passed: list[torch.Tensor] = []
    learn = Loop.step

    def remembered(self: Loop, net: Net, optimiser: torch.optim.Optimizer) -> str:
        line = learn(self, net, optimiser)
        passed.append(net.first.weight.detach().clone())
        return line

    monkeypatch.setattr(Loop, "step", remembered)
    recipe = Recipe(phrase="word", network=SMALL, training=Training(steps=8, quantised_steps=1))
    net = train(recipe, _material(), tmp_path / "a", lambda *_: None)
    torch.testing.assert_close(net.first.weight, torch.stack(passed[2:]).mean(0))
    assert not torch.equal(passed[2], passed[7])


def test_a_batch_is_made_of_what_the_recipe_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    batches: list[np.ndarray] = []

    def remembered(rows: np.ndarray, rng: np.random.Generator) -> tuple[torch.Tensor, Warp]:
        batches.append(rows)
        return warped(rows, rng)

    monkeypatch.setattr("bluering.training.fit.loop.warped", remembered)
    training = Training(steps=2, batch=Batch(words=3, others=5, hours=7))
    recipe = Recipe(phrase="word", network=SMALL, training=training)
    material = _material()
    train(recipe, material, tmp_path / "a", lambda *_: None)
    for rows in batches:
        words = (rows[:, 200:240, 10:20] >= 250).all((1, 2))
        assert words.tolist() == 3 * [True] + 12 * [False]
        tracks = [(material.others.features == row).all((1, 2)).any() for row in rows]
        assert tracks == 3 * [False] + 5 * [True] + 7 * [False]


@pytest.mark.parametrize("threads", [1, 2])
def test_training_is_reproducible_with_any_number_of_threads(tmp_path: Path, threads: int) -> None:
    training = Training(steps=4, threads=threads)  # of full size: smaller ones aren't shared out
    recipe = Recipe(phrase="word", training=training)
    material = _material()

    def learned(name: str) -> dict[str, torch.Tensor]:
        net = train(recipe, material, tmp_path / name, lambda *_: None)
        assert torch.get_num_threads() == threads
        return net.state_dict()

    once, again = learned("once"), learned("again")
    assert all(torch.equal(value, again[name]) for name, value in once.items())


def test_branches_are_different_fine_tuned_copies_of_the_trunk(tmp_path: Path) -> None:
    training = Training(steps=60, quantised_steps=1, branch_steps=4, learning_rate=1e-3)
    recipe = Recipe(phrase="word", network=SMALL, training=training)
    material = _material()
    trunk = train(recipe, material, tmp_path / "trunk", lambda *_: None)
    before = trunk.first.weight.detach().clone()

    def went(number: int) -> torch.Tensor:
        checkpoint = tmp_path / str(number)
        net = branch(recipe, number, material, trunk, checkpoint, lambda *_: None)
        return net.first.weight.detach()

    first, second, again = went(1), went(2), went(1)
    assert torch.equal(trunk.first.weight, before)
    assert torch.equal(first, again)
    assert not torch.equal(first, second)
    elsewhere = (Net(SMALL).first.weight - before).abs().mean()
    assert 0 < (first - before).abs().mean() < elsewhere / 4


def test_the_mean_of_networks_has_the_mean_of_their_weights() -> None:
    torch.manual_seed(1)
    nets = [Net(SMALL) for _ in range(3)]
    for net in nets:
        net.train()(torch.from_numpy(_rows(4, 7)).float())
    mean = mean_of(nets)
    assert isinstance(mean, Net)
    for name, value in mean.state_dict().items():
        parts = torch.stack([net.state_dict()[name].float() for net in nets])
        torch.testing.assert_close(value.float(), parts.mean(0))


def test_weights_that_get_worse_in_int8_training_are_not_kept(tmp_path: Path) -> None:
    training = Training(steps=60, quantised_steps=40)
    recipe = Recipe(phrase="word", network=SMALL, training=training)
    material = _material()
    net = train(recipe, material, tmp_path / "a", lambda *_: None)
    wild = recipe.model_copy(update={"training": Training(quantised_steps=40, learning_rate=150)})
    kept = quantise(wild, material, net, tmp_path / "b", lambda *_: None)
    assert misses(kept, material, recipe.window) < 1.0
    x = torch.from_numpy(_rows(8)).float()
    with torch.no_grad():
        assert torch.allclose(_unrounded(kept)(x), net(x), atol=1e-4)


def test_useless_weights_have_calibrated_ranges_too(tmp_path: Path) -> None:
    recipe = Recipe(phrase="word", network=SMALL, training=Training(quantised_steps=4))
    material = _material()
    net = Net(SMALL)
    with torch.no_grad():  # one score for everything: the held-out words are all missed
        net.head.weight.zero_()
    kept = quantise(recipe, material, net.eval(), tmp_path / "a", lambda *_: None)
    assert misses(kept, material, recipe.window) == 1.0
    assert bool((kept.high[:-1] > 0).all())


def test_the_cutoff_is_the_lowest_that_keeps_to_the_rate() -> None:
    net = _trained(SMALL)
    blob = compile_model(parse_tflite(write_tflite(net, "test")))
    streams = [_stream("a", _rows(1, seed, 30_000)[0]) for seed in (1, 2)]
    strict = judge.choose_cutoff(blob, 5, streams, 6.0)
    loose = judge.choose_cutoff(blob, 5, streams, 600.0)
    assert strict.accepts <= 6.0 * strict.hours
    assert loose.accepts <= 600.0 * loose.hours
    assert loose.value <= strict.value
    assert strict.hours == pytest.approx(3 * 600 / 3600, rel=1e-4)
    assert strict.phases == 3


def test_the_cutoff_counts_false_accepts_in_all_phases() -> None:
    net = _trained(SMALL)
    blob = compile_model(parse_tflite(write_tflite(net, "test")))
    rows = _rows(1, 1, 30_000)[0]
    found = judge.choose_cutoff(blob, 5, [_stream("a", rows)], 2000.0)
    wakes = 0
    for first in range(3):
        phase = scores(blob, rows[first:])
        finder = WakeFinder(found.value)
        finder.push(hop_scores(Trace(phase, 3, 3, 0), 5, len(rows) - first))
        wakes += len(finder.found)
    assert wakes == found.accepts > 0


def test_no_cutoff_is_a_clear_error() -> None:
    net = _trained(SMALL)
    with torch.no_grad():
        net.biases[-1] += 20
    blob = compile_model(parse_tflite(write_tflite(net, "test")))
    with pytest.raises(judge.TrainingError, match="no cutoff"):
        judge.choose_cutoff(blob, 5, [_stream("a", _rows(1, 1, 30_000)[0])], 0.0)


@pytest.mark.parametrize("head", [3, 4, 5])
@pytest.mark.parametrize("stride", [2, 3])
def test_rounding_compares_the_same_steps(stride: int, head: int) -> None:
    net = _trained(SMALL.model_copy(update={"stride": stride, "head": head}))
    with torch.no_grad():  # as sure as a trained network: a row too early or too late shows
        net.weights[-1] *= 20
        net.biases[-1] *= 20
    blob = compile_model(parse_tflite(write_tflite(net, "test")))
    clips = list(_rows(3, 4))
    found = judge.rounding(net, blob, 5, clips)
    assert found.clips == 3
    assert 0 < found.percentile_99 <= found.largest < 0.1
    late = [np.concatenate([rows[1:], rows[-1:]]) for rows in clips]
    apart = [
        np.abs(stream_scores(net, a, 5) - stream_scores(net, b, 5)).max()
        for a, b in zip(clips, late, strict=True)
    ]
    assert max(apart) > 2 * found.largest
    assert net.quantise


def test_without_rounding_it_saturates_like_int8() -> None:
    net = _trained(SMALL)
    loud = torch.full((1, FRAMES, 40), 255.0)
    with torch.no_grad():
        whole = net(3 * loud)
        net.quantise = False
        real = net(3 * loud)
    assert float((whole - real).abs().max()) < 1.0
