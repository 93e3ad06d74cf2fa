"""A model's card: what it was trained on, how it was measured, and whom it may fail."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from bluering.training.fit.net import macs_a_step, receptive_rows
from bluering.training.recipe import Recipe
from bluering.training.ship.judge import Cutoff, Rounding, TrainedModel
from bluering.training.speak.lookalikes import LookAlike
from bluering.validate.report.schema import Misses, ModelResult, OperatingPoint, Report

_SAME_BITS = " The reference, the virtual board and the device give the same bits."


@dataclass(frozen=True)
class Card:
    """What a card is written from."""

    recipe: Recipe
    name: str
    recipe_at: str  # a phrase, as recipe_place gives it
    trained: TrainedModel
    cutoff: Cutoff
    real: Report | None
    synthetic: Report | None
    confusions: tuple[tuple[LookAlike, float], ...]  # with the highest score of each, 0..1
    notes: str = ""


def recipe_place(folder: Path, name: str) -> str:
    """Where to find the recipe of a model in this folder: beside the models' folders, or for a
    phrase without a recipe of its own, in the lock, which has all of it."""
    file = folder.parent / "training" / f"{name}.toml"
    return f"[the recipe](../training/{name}.toml)" if file.is_file() else "the recipe in its lock"


def card_text(card: Card) -> str:
    """Markdown."""
    recipe = card.recipe
    parts = [
        f"# {recipe.phrase}",
        _what(card),
        _table(("", ""), _figures(card)),
        "## What it was trained on",
        _learned(recipe),
        "## The cutoff",
        _cutoff(card),
        "## On real recordings",
        _real(card.real),
        "## On synthetic speech by held-out voices and an engine",
        _synthetic(card.synthetic),
        "## int8 against float",
        _rounding(card.trained.rounding),
        "## Look-alikes that wake it",
        _confusions(card.confusions),
    ]
    if card.notes:
        parts += ["## Notes", card.notes.strip()]
    return "\n\n".join(parts) + "\n"


def _what(card: Card) -> str:
    return (
        f"A streaming int8 network for the wake word “{card.recipe.phrase}”, made by "
        f"`bluering train` from {card.recipe_at}; `lock.json` names every source with its version "
        "and hash."
    )


def _figures(card: Card) -> list[tuple[str, str]]:
    recipe = card.recipe
    return [
        ("size of the file", f"{len(card.trained.model):,} bytes"),
        ("multiply-accumulates per step", f"{macs_a_step(recipe.network):,}"),
        (
            "step; receptive field",
            f"{10 * recipe.network.stride} ms; {10 * receptive_rows(recipe.network)} ms",
        ),
        ("cutoff, of 255", f"{card.cutoff.value}"),
        ("scores in the sliding mean", f"{recipe.window}"),
    ]


def _learned(recipe: Recipe) -> str:
    speech = recipe.speech
    rows = [
        (kind.replace("_", " "), counts.kokoro, counts.espeak, counts.flite)
        for kind, counts in (
            ("word", speech.word),
            ("look_alike", speech.look_alike),
            ("sentence", speech.sentence),
            ("held_out", speech.held_out),
        )
    ]
    own = (
        f"Also real recordings of the word: {', '.join(recipe.recordings)}."
        if recipe.recordings
        else "No real recordings of the word: the positives of the development corpus were used "
        "for evaluation only."
    )
    talk = (
        f"{recipe.chatter:g} hours of words in random order, half of which sound like the wake "
        "word, by Hibari (Apache-2.0), a small network distilled from a voice of Kokoro. "
        if recipe.chatter
        else ""
    )
    branches = recipe.training.branches
    copies = "a fine-tuned copy" if branches == 1 else f"{branches} fine-tuned copies"
    mean = (
        f"Its weights are the mean of a network's and those of {copies} of it. " if branches else ""
    )
    counts = _table(("", "Kokoro", "eSpeak NG", "Flite"), rows)
    return (
        f"Synthetic speech, number of clips:\n\n{counts}"
        "\n\nKokoro (Apache-2.0), with its 54 voices and mixtures of them; eSpeak NG and Flite, "
        "whose licences don't cover their output. Accents; speeds from 0.6 to 1.4; other voices, "
        "intonations and rhythms by the vocoder WORLD; whispered and shouted words; alone and in "
        "one breath with others, in random rooms and noises. The logits of a teacher, trained on "
        "the same over Google's speech embedding (Apache-2.0), were the network's soft targets. "
        f"{mean}"
        "Look-alikes from the CMU Pronouncing Dictionary by phonetic distance and from the recipe. "
        f"{talk}Half of the development corpus's recordings without the word, split by speaker "
        f"where known, as negatives and as noise. {own}"
    )


def _cutoff(card: Card) -> str:
    cutoff = card.cutoff
    if not cutoff.hours:
        return "There were no recordings to choose it on: it is the middle of the scale."
    return (
        f"The lowest with at most {card.recipe.accepts_per_hour:g} false accepts per hour on the "
        f"other half of those recordings: {cutoff.accepts} in {cutoff.phases} times "
        f"{cutoff.hours / cutoff.phases:.2f} h, once for each phase that a device's steps may have."
    )


def _real(report: Report | None) -> str:
    if report is None:
        return "Not measured, as there was no development corpus."
    model = report.models[0]
    parts = [
        f"`{report.command}`; everything, with intervals and curves, is in `evaluation.json`. Half "
        "of the recordings without the word were trained on, also as noise: the false accepts "
        "below are fewer than on unknown ones, for which see the cutoff.",
        _points(model),
    ]
    latency = next(
        (m.latency for m in _shipped(model).misses if m.condition == "clean" and m.latency), None
    )
    if latency:
        parts.append(
            f"From the end of the word to the wake: {latency.median_ms:.0f} ms at the median, "
            f"{latency.p95_ms:.0f} ms at the 95th percentile."
        )
    return "\n\n".join(parts)


def _points(model: ModelResult) -> str:
    measured = _shipped(model).misses
    conditions = [misses.condition for misses in measured]
    rows = []
    for point in model.points:
        if point.cutoff is None or point.overall is None:
            rows.append((point.name, "not reachable", *("" for _ in conditions)))
            continue
        accepts = point.overall
        cells = (_misses(point.condition(condition)) for condition in conditions)
        rows.append(
            (f"{point.name} ({point.cutoff})", f"{accepts.count} in {accepts.hours:.1f} h", *cells)
        )
    heads = (f"missed of {misses.clips}, {misses.condition}" for misses in measured)
    return _table(("at", "false accepts", *heads), rows)


def _misses(misses: Misses | None) -> str:
    if misses is None:
        return ""
    low, high = misses.interval
    return f"{100 * misses.rate:.1f} % ({100 * low:.1f} to {100 * high:.1f})"


def _synthetic(report: Report | None) -> str:
    if report is None:
        return "Not measured."
    shipped = _shipped(report.models[0])
    rows = [(m.condition, f"{m.missed} of {m.clips}", _misses(m)) for m in shipped.misses]
    clean = shipped.condition("clean")
    parts = [_table(("", "missed", "miss rate"), rows)]
    if clean:
        slices = sorted(clean.slices, key=lambda s: -s.rate)
        found = [
            (f"{s.by}: {s.value}", f"{s.missed} of {s.clips}", _interval(s.rate, s.interval))
            for s in slices
        ]
        worst = clean.worst
        parts.append(f"By slice, clean:\n\n{_table(('', 'missed', 'miss rate'), found)}")
        parts.append(
            f"The worst slice: **{worst.by}: {worst.value}**."
            if worst
            else "No slice is missed more often than the whole."
        )
    return "\n\n".join(parts)


def _interval(rate: float, interval: tuple[float, float]) -> str:
    return f"{100 * rate:.1f} % ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _rounding(rounding: Rounding) -> str:
    if not rounding.clips:
        return f"The difference wasn't measured.{_SAME_BITS}"
    return (
        "The difference of the sliding mean between the compiled int8 model and the same network "
        f"without rounding, over every step of {rounding.clips} clips: at most "
        f"{rounding.largest:.3f}; in 99 of 100 clips at most {rounding.percentile_99:.3f}."
        f"{_SAME_BITS}"
    )


def _confusions(found: Iterable[tuple[LookAlike, float]]) -> str:
    rows = [(f"“{look.phrase}”", _far(look.distance), f"{score:.2f}") for look, score in found]
    if not rows:
        return "None of those that were tried."
    return (
        "Look-alikes that reached the cutoff at least once, with their phonetic distance (0 sounds "
        "the same) and highest score:\n\n" + _table(("", "distance", "score"), rows)
    )


def _far(distance: float) -> str:
    """NaN is for a phrase that the dictionary lacks."""
    return "unknown" if isnan(distance) else f"{distance:.2f}"


def _shipped(model: ModelResult) -> OperatingPoint:
    return model.points[0]


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
