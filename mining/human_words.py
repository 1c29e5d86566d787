"""The measures of hardness by people in words: titles, units and columns, for pages, commands and files.

The measures themselves (`mining.hardness.human_measures`) load SciPy, which no page may; a test keeps the two alike.
"""

from __future__ import annotations

from dataclasses import dataclass

DEFAULT_MEASURE = "time_and_labels"


@dataclass(frozen=True, slots=True)
class HumanMeasureWords:
    """One measure as pages name it. The names are those of `mining.hardness.human_measures`."""

    title: str
    meaning: str
    needs: str
    """Times, answers, or times and answers."""
    column: str
    """Where it stands in a round's measures.parquet."""
    unit: str
    """Empty where the fit decides: log-seconds or annotator SDs."""

    @property
    def is_fitted(self) -> bool:
        """Whether it comes from the model of times, with a standard error for every item."""
        return not self.unit


def measure_words() -> dict[str, HumanMeasureWords]:
    """Return name -> words of every measure."""
    return dict(_WORDS)


def words_of(name: str) -> HumanMeasureWords:
    """Return the words of one measure; of one that is no longer there, those of the default."""
    return _WORDS.get(name) or _WORDS[DEFAULT_MEASURE]


def known_measure(name: str) -> str:
    """Return the name, or the default where no such measure is there any more."""
    return name if name in _WORDS else DEFAULT_MEASURE


def in_text(title: str) -> str:
    """Return the title as it stands inside a sentence; names keep their capitals."""
    return title if title[:2].isupper() or title.startswith("Ionescu") else title[0].lower() + title[1:]


_WORDS = {
    "time": HumanMeasureWords(
        "Time hardness", "How much longer people take, their own speed, noise and practice taken out.", "times",
        "time_alone", "",
    ),
    "time_and_labels": HumanMeasureWords(
        "Time hardness with answers",
        "How much longer people take, their own speed, noise and practice taken out; it also learns from the answers.",
        "times and answers", "time_hardness", "",
    ),
    "raw_mean_time": HumanMeasureWords(
        "Mean time", "Plain mean: slow annotators and lapses weigh most.", "times", "raw_mean_ms", "ms",
    ),
    "geometric_mean_time": HumanMeasureWords(
        "Geometric mean time", "A mean that single long times move less.", "times", "geometric_mean_ms", "ms",
    ),
    "ionescu_time": HumanMeasureWords(
        "Ionescu time", "Times standardised for each annotator (Ionescu et al., CVPR 2016).", "times",
        "ionescu_time", "ms",
    ),
    "mean_rank_time": HumanMeasureWords(
        "Mean rank of time", "Mean place of the item's times among each annotator's own.", "times",
        "mean_rank_time", "rank from 0 to 1",
    ),
    "disagreement": HumanMeasureWords(
        "Disagreement", "Share of answers that differ from the consensus.", "answers", "disagreement",
        "share from 0 to 1",
    ),
    "label_entropy": HumanMeasureWords(
        "Entropy of answers", "How evenly the answers spread over classes.", "answers", "label_entropy",
        "share of the most there can be",
    ),
    "glad_difficulty": HumanMeasureWords(
        "GLAD difficulty", "Difficulty beside the skill of annotators (Whitehill et al., 2009).", "answers",
        "glad_difficulty", "minus ln of GLAD's β",
    ),
}  # fmt: skip
