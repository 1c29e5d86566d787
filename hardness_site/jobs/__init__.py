"""Jobs: the rows that all long work reports to."""
