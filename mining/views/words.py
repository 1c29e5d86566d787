"""Names and plain words for what rounds find, as pages say them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Verdict:
    """What the noise gate says of an item: short name, what it means, and how it is set off."""

    name: str
    words: str
    meaning: str
    tone: str = ""


VERDICTS = {
    one.name: one
    for one in (
        Verdict("mislabelled", "Probably mislabelled", "The model and people agree on another label.", "bad"),
        Verdict("ambiguous", "Ambiguous", "The model is torn and people are slow or split.", "warn"),
        Verdict("blind_spot", "Blind spot", "People find it easy, the model gets it wrong: mine it.", "accent"),
        Verdict("human_only", "Hard for people only", "People are slow, the model is not surprised."),
        Verdict("unclear", "Unclear", "The model is surprised, and people have not settled it: ask people.", "warn"),
        Verdict("none", "Nothing unusual", "Neither the model nor people stand out."),
    )
}  # fmt: skip
NOT_JUDGED = Verdict("", "Not judged", "The noise gate had nothing to go by.")


def verdict(name: str) -> Verdict:
    """Return the verdict of that name; one that is not known keeps its name."""
    return VERDICTS.get(name) or (Verdict(name, name.replace("_", " ").capitalize(), "") if name else NOT_JUDGED)


def verdict_counts(counts: dict[str, int]) -> list[tuple[Verdict, int]]:
    """Return the verdicts that occur with their counts, those that need people first."""
    known = [(verdict(name), counts[name]) for name in VERDICTS if counts.get(name)]
    other = [(verdict(name), count) for name, count in sorted(counts.items()) if name not in VERDICTS and count]
    return known + other


def features_in_words(params: dict[str, Any]) -> str:
    """Return what the learners of a round saw."""
    kind, _, name = str(params.get("feature_kind", "hog")).partition(":")
    if name:
        return f"{'network' if kind == 'network' else 'file'} {name}"
    words = ["HOG" if kind == "hog" else "pixels"]
    words += [what for what in ("colour", "texture") if params.get(f"{what}_statistics")]
    return " + ".join(words)


def groups_in_words(params: dict[str, Any]) -> str:
    """Return what never straddles folds in a round."""
    words = ["objects of one image"]
    if params.get("near_duplicates_together"):
        words.append("near-duplicates")
    if params.get("groups"):
        words.append(f"the groups {params['groups']}")
    return ", ".join(words)
