"""A model's card: what it is made of, what it was measured on, whom it may fail."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from bluering.training.fit.net import macs_a_step, receptive_rows
from bluering.training.recipe import Recipe
from bluering.training.ship.judge import Cutoff, Rounding, Trained
from bluering.training.speak.lookalikes import LookAlike
from bluering.validate.report.schema import Misses, ModelResult, OperatingPoint, Report

_SAME_BITS = " Reference, virtual board and device give the same bits."


@dataclass(frozen=True)
class Card:
    """What a card is written from."""

    recipe: Recipe
    name: str
    recipe_at: str  # where the recipe is, as recipe_place says
    trained: Trained
    cutoff: Cutoff
    real: Report | None
    synthetic: Report | None
    confusions: tuple[tuple[LookAlike, float], ...]  # and the score that each reached, 0..1
    notes: str = ""


def recipe_place(folder: Path, name: str) -> str:
    """Where the recipe of a model in the folder is: beside the models' folders, or, of a phrase
    with the defaults, in the lock alone, which tells all of it."""
    file = folder.parent / "training" / f"{name}.toml"
    return f"[the recipe](../training/{name}.toml)" if file.is_file() else "the recipe in its lock"


def card_text(card: Card) -> str:
    """Markdown."""
    recipe = card.recipe
    parts = [
        f"# {recipe.phrase}",
        _what(card),
        _table(("", ""), _figures(card)),
        "## What it learned from",
        _learned(recipe),
        "## The cutoff",
        _cutoff(card),
        "## On real recordings",
        _real(card.real),
        "## On synthetic speech from voices and an engine that training never heard",
        _synthetic(card.synthetic),
        "## int8 against float",
        _rounding(card.trained.rounding),
        "## What it takes for its word",
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
        ("multiply-accumulates a step", f"{macs_a_step(recipe.network):,}"),
        (
            "a step; what it looks back on",
            f"{10 * recipe.network.stride} ms; {10 * receptive_rows(recipe.network)} ms",
        ),
        ("cutoff, of 255", f"{card.cutoff.value}"),
        ("outputs in the sliding mean", f"{recipe.window}"),
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
        f"Real recordings of the word in addition: {', '.join(recipe.recordings)}."
        if recipe.recordings
        else "No real recording of the word: the positives of the development corpus were used "
        "for evaluation alone."
    )
    talk = (
        f"{recipe.chatter:g} hours of words in no order, half of which sound like the wake word, "
        "by Hibari (Apache-2.0), a small network distilled from a voice of Kokoro. "
        if recipe.chatter
        else ""
    )
    branches = recipe.training.branches
    mean = (
        f"The network has the mean weights of one and of {branches} that went on from it apart. "
        if branches
        else ""
    )
    counts = _table(("", "Kokoro", "eSpeak NG", "Flite"), rows)
    return (
        f"Synthetic speech, number of clips:\n\n{counts}"
        "\n\nKokoro (Apache-2.0), its 54 voices and mixtures of them; eSpeak NG and Flite, whose "
        "licences don't cover their output. Pronunciations with accents, speeds from 0.6 to 1.4; "
        "other voices, melodies and rhythms by the vocoder WORLD; whispered and shouted ones; "
        "alone and in one breath with others, in random rooms and noises. A teacher, trained on "
        "the same over Google's speech embedding (Apache-2.0), told the network how sure to be. "
        f"{mean}"
        "Look-alikes from the CMU Pronouncing Dictionary by phonetic distance and from the recipe. "
        f"{talk}Half of the development corpus' recordings without the word, by speaker where "
        f"known, as negatives and as noise. {own}"
    )


def _cutoff(card: Card) -> str:
    cutoff = card.cutoff
    if not cutoff.hours:
        return "No recordings were there to choose it on: it is the middle of the scale."
    return (
        f"The lowest with no more than {card.recipe.accepts_per_hour:g} false accepts per hour on "
        f"the other half of those recordings: {cutoff.accepts} in {cutoff.phases} times "
        f"{cutoff.hours / cutoff.phases:.2f} h, once for each phase that a device's steps may have."
    )


def _real(report: Report | None) -> str:
    if report is None:
        return "Not measured: the development corpus wasn't there."
    model = report.models[0]
    parts = [
        f"`{report.command}`; all of it, with intervals and curves, in `evaluation.json`. Half of "
        "the recordings without the word were learned from, and served as noise in training: the "
        "false accepts below are lower than on unknown ones, see the cutoff for those.",
        _points(model),
    ]
    latency = next(
        (m.latency for m in _shipped(model).misses if m.condition == "clean" and m.latency), None
    )
    if latency:
        parts.append(
            f"From the word's end to the wake: {latency.median_ms:.0f} ms, "
            f"{latency.p95_ms:.0f} ms on the 95th percentile."
        )
    return "\n\n".join(parts)


def _points(model: ModelResult) -> str:
    measured = _shipped(model).misses
    conditions = [misses.condition for misses in measured]
    rows = []
    for point in model.points:
        if point.cutoff is None or point.overall is None:
            rows.append((point.name, "out of reach", *("" for _ in conditions)))
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
            else "No slice is missed more often than all together."
        )
    return "\n\n".join(parts)


def _interval(rate: float, interval: tuple[float, float]) -> str:
    return f"{100 * rate:.1f} % ({100 * interval[0]:.1f} to {100 * interval[1]:.1f})"


def _rounding(rounding: Rounding) -> str:
    if not rounding.clips:
        return f"The difference wasn't measured.{_SAME_BITS}"
    return (
        f"The sliding mean of the compiled int8 model against the same network without "
        f"rounding, every step of {rounding.clips} clips: at most {rounding.largest:.3f}; in 99 of "
        f"100 clips at most {rounding.percentile_99:.3f}.{_SAME_BITS}"
    )


def _confusions(found: Iterable[tuple[LookAlike, float]]) -> str:
    rows = [(f"“{look.phrase}”", _far(look.distance), f"{score:.2f}") for look, score in found]
    if not rows:
        return "None of the look-alikes that were tried."
    return (
        "Look-alikes of the script that still reached the cutoff at least once, with their "
        "phonetic distance (0 sounds the same) and the highest score:\n\n"
        + _table(("", "distance", "score"), rows)
    )


def _far(distance: float) -> str:
    """Of a phrase that the dictionary knows."""
    return "unknown" if isnan(distance) else f"{distance:.2f}"


def _shipped(model: ModelResult) -> OperatingPoint:
    return model.points[0]


def _table(head: Iterable[str], rows: Iterable[Iterable[object]]) -> str:
    head = list(head)
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join(f"| {' | '.join(map(str, line))} |" for line in lines)
