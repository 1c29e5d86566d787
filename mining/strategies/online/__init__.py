"""Online mining: what is hard is decided again at every step, by the loss as it is then."""
