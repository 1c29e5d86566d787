"""The catalogue of strategies: those built in, and those that installed packages add by an entry point."""

import warnings
from importlib.metadata import entry_points

from mining.strategies.band import BAND
from mining.strategies.by_rank import CLASS_BALANCED, COMBINED, CURRICULUM
from mining.strategies.crossed import BLIND_SPOTS, HUMAN_ONLY_HARD
from mining.strategies.hard_examples import HARD_NEGATIVES, HARD_POSITIVES
from mining.strategies.label_errors import LABEL_ERRORS
from mining.strategies.people_hard import DISAGREEMENT_HARD, TIME_HARD
from mining.strategies.strategy import Strategy, StrategyError
from mining.strategies.suspicious import SUSPICIOUS

ENTRY_POINT_GROUP = "hardness.strategies"

BUILT_IN = (
    HARD_NEGATIVES,
    HARD_POSITIVES,
    SUSPICIOUS,
    TIME_HARD,
    BAND,
    DISAGREEMENT_HARD,
    BLIND_SPOTS,
    HUMAN_ONLY_HARD,
    COMBINED,
    CLASS_BALANCED,
    CURRICULUM,
    LABEL_ERRORS,
)


def load_strategies() -> dict[str, Strategy]:
    """Return all strategies by name. A broken or ill-named addition is left out with a warning; the others stay."""
    found = {strategy.name: strategy for strategy in BUILT_IN}
    for point in entry_points(group=ENTRY_POINT_GROUP):
        where = f"strategy {point.name} ({point.value}) was left out: "
        try:
            strategy = point.load()
        except Exception as error:
            warnings.warn(f"{where}{error}", stacklevel=2)
            continue
        if not isinstance(strategy, Strategy):
            warnings.warn(f"{where}it is no Strategy but {type(strategy).__name__}", stacklevel=2)
        elif strategy.name in found:
            warnings.warn(f"{where}the name {strategy.name!r} is taken", stacklevel=2)
        else:
            found[strategy.name] = strategy
    return found


STRATEGIES: dict[str, Strategy] = load_strategies()


def get_strategy(name: str) -> Strategy:
    """Return a strategy by name, or raise `StrategyError` that lists the names."""
    if name not in STRATEGIES:
        raise StrategyError(f"no strategy is called {name!r}; there are {', '.join(STRATEGIES)}")
    return STRATEGIES[name]
