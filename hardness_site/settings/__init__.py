"""Settings: `base` holds what is always so; one module beside it for each way of running."""
