"""What can be wrong with the input of a learner."""


class LearnerError(ValueError):
    """Nothing can be learnt from this input; the message names what is wrong and the remedy."""


class Cancelled(Exception):
    """Raise it from `on_progress` to stop long work between two steps."""
