"""People: what they are asked, what they answered, how long it took."""
