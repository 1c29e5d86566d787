"""Plain words for what the fit warns of, and for the measures of people."""

from __future__ import annotations

from dataclasses import dataclass

REMEDIES = {
    "fixed_order": "Let each annotator see the items in an order of their own (Settings).",
    "seconds_as_milliseconds": "Look at the unit of the times that were imported.",
    "times_too_long": "Look at the unit of the times that were imported.",
    "too_few_judgments": "Raise the number of people who judge each item (Settings).",
    "noise_not_identified": "Let a second person judge some of the items.",
    "one_annotator": "Let others judge the same items.",
    "dominant_annotator": "Let others judge the same items.",
    "unconnected_groups": "Let some annotators work in both groups.",
    "drifting_times": "Look at their practice curves on the page of annotators, and ask about their machine.",
    "much_censored": "Give people more time, or find out why they do not answer.",
    "no_variation": "Check how the times were measured.",
    "censored_without_bound": "Import the time limit along with the trials.",
}
OTHER_REASONS = {
    "": "Not said.",
    "missed": "No answer before the limit.",
    "no_answer": "No answer before the limit.",
    "timed_out": "No answer before the limit.",
    "not_measured": "The import came without a time.",
}


@dataclass(frozen=True, slots=True)
class HumanMeasureWords:
    """One measure as the page lists it. The names are those of `mining.hardness.human_measures`."""

    title: str
    meaning: str
    needs: str


def measure_words() -> dict[str, HumanMeasureWords]:
    """Return name -> words. Kept here because the measures themselves load scipy, which no page may."""
    return _WORDS


_WORDS = {
    "time": HumanMeasureWords(
        "Time hardness", "How much longer people take, their own speed, noise and practice taken out.", "times"
    ),
    "time_and_labels": HumanMeasureWords(
        "Time hardness with answers", "The same, and it learns from how far the answers differ and what they are.",
        "times and answers",
    ),
    "raw_mean_time": HumanMeasureWords("Mean time", "Plain mean: slow annotators and lapses weigh most.", "times"),
    "geometric_mean_time": HumanMeasureWords(
        "Geometric mean time", "A mean that single long times move less.", "times"
    ),
    "ionescu_time": HumanMeasureWords(
        "Ionescu time", "Times standardised for each annotator (Ionescu et al., CVPR 2016).", "times"
    ),
    "mean_rank_time": HumanMeasureWords(
        "Mean rank of time", "Mean place of the item's times among each annotator's own.", "times"
    ),
    "disagreement": HumanMeasureWords("Disagreement", "Share of answers that differ from the consensus.", "answers"),
    "label_entropy": HumanMeasureWords("Entropy of answers", "How evenly the answers spread over classes.", "answers"),
    "glad_difficulty": HumanMeasureWords(
        "GLAD difficulty", "Difficulty beside the skill of annotators (Whitehill et al., 2009).", "answers"
    ),
}  # fmt: skip
