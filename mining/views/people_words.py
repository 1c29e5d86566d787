"""Plain words for what the fit warns of, and for why a trial has no time."""

from __future__ import annotations

REMEDIES = {
    "fixed_order": "Let each annotator see the items in an order of their own (Settings).",
    "seconds_as_milliseconds": "Look at the unit of the times that were imported.",
    "times_too_long": "Look at the unit of the times that were imported.",
    "too_few_judgments": "Raise the number of people who judge each item (Settings).",
    "noise_not_identified": "Let a second person judge some of the items.",
    "one_annotator": "Let others judge the same items.",
    "dominant_annotator": "Let others judge the same items.",
    "unconnected_groups": "Let some annotators work in more than one of the groups.",
    "drifting_times": "Look at their practice curves on the page of annotators, and ask about their machine.",
    "much_censored": "Give people more time, or find out why they do not answer.",
    "units_differ": "Look at the unit in the file that their trials came from. Trials that are there are not changed "
    "by an import: put right in milliseconds, they belong into a new project.",
    "drifted_clocks": "Ask them to use another browser or machine, and to switch off what halts or alters its clock.",
    "clock_rate": "Ask them to use another browser or machine, and to switch off what halts or alters its clock.",
    "low_reliability": "Raise the number of people who judge each item (Settings).",
    "page_level_times": "Import the times of single items, or leave response_ms empty: answers alone are worth having.",
    "times_refused": "Mend the trials that it names.",
    "repeated_judgments": "Give the repeats the purpose of repeats, or leave it: they are few.",
    "not_converged": "Take the figures as rough, and look at the other warnings first.",
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
