"""Do the signals agree? Rank correlations with intervals, reliability, overlap, quadrants. Pure: numpy and scipy."""
