"""The only bridge from rows to arrays and back."""

from .hard_sets import store_hard_set
from .items import CLASS_FIELDS, item_table, read_classes
from .trials import annotator_table, trial_table

__all__ = ["CLASS_FIELDS", "annotator_table", "item_table", "read_classes", "store_hard_set", "trial_table"]
