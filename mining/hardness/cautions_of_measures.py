"""When not to use each measure of models: what the page of measures says, and docs/measures.md word for word."""

CAUTIONS: dict[str, str] = {
    "least_confidence": ("to compare projects with different numbers of classes: its largest value depends on K."),
    "margin": (
        "when the belief is spread over many classes: three equal candidates and two equal candidates score the same."
    ),
    "entropy": ("with hundreds of classes when only the best few matter: many tiny probabilities add up."),
    "band": ("with more than two classes; use margin there."),
    "loss": (
        "its mean over a class without looking at the spread: a few confident mistakes outweigh everything. Not on "
        "labels that nobody has checked without the noise gate: the highest losses are the wrong labels."
    ),
    "focal_loss": (
        "as fixed weights for a training. The focal loss is recomputed at every step; weights of (1 - p_y)^2 fixed "
        "once took the accuracy on digits from .967 to .832. For ranking items it says nothing that loss does not: "
        "the order is the same."
    ),
    "normalized_margin": (
        "to tell torn from sure: .5 is reached by being torn between two classes and by being torn between twenty."
    ),
    "mistakenness": (
        "as hardness: an item on which the model is torn scores close to one half whether it is right or wrong."
    ),
    "el2n": (
        "expecting the published score: that is a mean over several networks early in training; this is one model, "
        "out of fold."
    ),
    "grand_last_layer": (
        "with features of very different scale or length: it then ranks items by the size of their features."
    ),
    "kdn": (
        "with features in which distance means little, or with classes of fewer than about k items: their "
        "neighbours cannot but disagree. Beyond 50,000 labelled items the neighbours are looked for in a random "
        "sample of 50,000."
    ),
    "instance_hardness": (
        "with a single learner (it is then 1 - p_y), or with learners that are variations of each other."
    ),
    "variability": (
        "alone: items that are never learnt have a low variability, as have the easy ones. Read it with "
        "inverse_confidence."
    ),
    "inverse_confidence": (
        "on trainings of different length side by side: a longer training lowers it for everything."
    ),
    "forgetting": ("with fewer than about ten epochs: nearly all items then share the value 0."),
    "negated_aum": ("across trainings: logits have no common scale."),
}
