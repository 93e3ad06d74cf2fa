"""A model's card: what it is made of, what it was measured on, whom it may fail."""

from collections.abc import Iterable
from dataclasses import dataclass
from math import isnan
from pathlib import Path

from bluering.training.doubt import Doubt
from bluering.training.judge import Cutoff, Rounding, Trained
from bluering.training.lookalikes import LookAlike
from bluering.training.net import macs_a_step, receptive_rows
from bluering.training.recipe import Recipe
from bluering.validate.report.schema import Misses, ModelResult, OperatingPoint, Report

_SAME_BITS = " Reference, virtual board and device give the same bits."


@dataclass(frozen=True)
class Card:
    """What a card is written from."""

    recipe: Recipe
    name: str
    recipe_at: str  # where the recipe is, as recipe_place says
    first: Trained
    second: Trained | None
    doubt: Doubt | None  # where there is a second
    cutoff: Cutoff
    real: Report | None
    synthetic: Report | None
    confusions: tuple[tuple[LookAlike, float], ...]  # and the score that each reached, 0..1
    notes: str = ""

    @property
    def networks(self) -> tuple[Trained, ...]:
        """In the order in which they hear."""
        return (self.first, self.second) if self.second else (self.first,)


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
        _rounding(card),
        "## What it takes for its word",
        _confusions(card.confusions),
    ]
    if card.notes:
        parts += ["## Notes", card.notes.strip()]
    return "\n\n".join(parts) + "\n"


def _what(card: Card) -> str:
    phrase = card.recipe.phrase
    kind = (
        f"Two streaming int8 networks for the wake word “{phrase}”: the first hears every step, "
        "the second is asked where the first isn't sure, and what counts then is the mean of both "
        "([how](../README.md)). Both were made"
        if card.second
        else f"A streaming int8 network for the wake word “{phrase}”, made"
    )
    locks = "`lock.json` and `lock.second.json` name" if card.second else "`lock.json` names"
    return (
        f"{kind} by `bluering train` from {card.recipe_at}; "
        f"{locks} every source with its version and hash."
    )


def _figures(card: Card) -> list[tuple[str, str]]:
    recipe, macs = card.recipe, f"{macs_a_step(card.recipe.network):,}"
    sizes = " and ".join(f"{len(network.model):,}" for network in card.networks)
    rows = [
        ("size of the file" if card.second is None else "size of the files", f"{sizes} bytes"),
        ("multiply-accumulates a step", macs),
        (
            "a step; what it looks back on",
            f"{10 * recipe.network.stride} ms; {10 * receptive_rows(recipe.network)} ms",
        ),
        ("cutoff, of 255", f"{card.cutoff.value}"),
        ("outputs in the sliding mean", f"{recipe.window}"),
    ]
    if card.doubt:
        rows[1] = (rows[1][0], f"{macs}, and as many of the second where it is asked")
        rows.insert(3, ("doubt, of 255: from there on the second is asked", f"{card.doubt.value}"))
    return rows


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
    second = (
        "The second network was made from the same speech in the same way; the recipe's section "
        "`[second]` says in what it departs. "
        if recipe.second
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
        f"{mean}{second}"
        "Look-alikes from the CMU Pronouncing Dictionary by phonetic distance and from the recipe. "
        f"{talk}Half of the development corpus' recordings without the word, by speaker where "
        f"known, as negatives and as noise. {own}"
    )


def _cutoff(card: Card) -> str:
    cutoff = card.cutoff
    if not cutoff.hours:
        return "No recordings were there to choose it on: it is the middle of the scale."
    chosen = (
        f"The lowest with no more than {card.recipe.accepts_per_hour:g} false accepts per hour on "
        f"the other half of those recordings: {cutoff.accepts} in {cutoff.phases} times "
        f"{cutoff.hours / cutoff.phases:.2f} h, once for each phase that a device's steps may have."
    )
    if card.doubt is None:
        return chosen
    return (
        f"{chosen} The doubt is the one of five from 0.3 to 0.5 with which the least of the "
        f"held-out words are missed there: {100 * card.doubt.misses:.1f} %, the mean over 0.25, "
        "0.5, 1 and 2 false accepts per hour. On these recordings the first comes to it "
        f"{card.doubt.asked_per_hour:.0f} times an hour. The cutoff in the manifest is that of the "
        "first alone, as ESPHome runs it."
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


def _rounding(card: Card) -> str:
    if card.second is None:
        return _of_network("The", card.first.rounding) + _SAME_BITS
    first = _of_network("Of the first, the", card.first.rounding)
    second = _of_network("Of the second, the", card.second.rounding)
    return (
        f"{first} {second}{_SAME_BITS} Where the first comes to the doubt in one way and not in "
        "the other, the second counts in one of them alone."
    )


def _of_network(begin: str, rounding: Rounding) -> str:
    if not rounding.clips:
        return f"{begin} difference wasn't measured."
    return (
        f"{begin} sliding mean of the compiled int8 model against the same network without "
        f"rounding, every step of {rounding.clips} clips: at most {rounding.largest:.3f}; in 99 of "
        f"100 clips at most {rounding.percentile_99:.3f}."
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
