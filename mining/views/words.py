"""Names and plain words for what rounds find, as pages say them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from mining.human_words import DEFAULT_MEASURE, words_of


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
        Verdict("human_only", "Hard for people only",
                "People are slow; the model expects the item's label (that of the import, where there is one)."),
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


OUTCOMES = {
    one.name: one
    for one in (
        Verdict("label_changed", "Label changed", "People now stand behind another label than before.", "accent"),
        Verdict("hard", "Hardness confirmed", "The label stands; people are still slow, or the model gets it wrong."),
        Verdict("ambiguous", "Ambiguous for good", "All who were asked have answered, and people are split.", "warn"),
        Verdict("settled", "No longer hard", "The label stands, people agree and neither they nor the model struggle."),
        Verdict("waiting", "Still waiting", "Not all the judgments asked for have come yet."),
    )
}  # fmt: skip


def outcome_counts(counts: dict[str, int]) -> list[tuple[Verdict, int]]:
    """Return what came of asking again, in a fixed order; what did not occur is left out."""
    return [(OUTCOMES[name], counts[name]) for name in OUTCOMES if counts.get(name)]


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


def params_in_words(params: dict[str, Any]) -> list[tuple[str, str]]:
    """Return the settings of a round that a reader asks for, with their names in words."""
    return [
        ("Learners", ", ".join(_learner_in_words(entry) for entry in params.get("learners", []))),
        ("Features", features_in_words(params)),
        ("Strategies", ", ".join(entry["name"] for entry in params.get("strategies", []))),
        ("Online strategies", ", ".join(params.get("online_strategies", []))),
        ("Classes of unequal size", ", ".join(params.get("balance_strategies", []))),
        ("Noise gate", "on" if params.get("noise_gate", True) else "off"),
        ("Hardness by people", words_of(params.get("human_measure") or DEFAULT_MEASURE).title),
        ("Labels from", {"people": "people", "given": "the import"}.get(params.get("label_source", ""), "")),
        ("Folds", str(params.get("n_folds", ""))),
        ("Held out", f"{100 * params.get('test_share', 0):.0f} %"),
        ("Kept together", groups_in_words(params)),
        ("Seed", str(params.get("seed", ""))),
    ]


def _learner_in_words(entry: dict[str, Any]) -> str:
    """Return the name, and in brackets what is done about classes of unequal size."""
    asked = [entry.get("params", {}).get(name, "none") for name in ("class_weight", "resampling")]
    done = [word for word in asked if word != "none"]
    return f"{entry['name']} ({', '.join(done)})" if done else str(entry["name"])
