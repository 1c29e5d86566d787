"""The steps of a round, one file each, with `run(stage: StageRun) -> result`. Imported by workers only."""

STAGES: dict[str, str] = {
    "snapshot": "Take down labels and times",
    "time_hardness": "Time hardness and consensus",
    "features": "Describe the images",
    "predictions": "Train learners out of fold",
    "measures": "Measure the hardness of every item",
    "comparison": "Compare people and models",
    "hard_sets": "Mine hard sets",
    "retraining": "Retrain and compare with a random control",
    "report": "Write the report",
}
"""Name and title of every stage, in the order in which they run."""
