"""Telling programs elsewhere what has happened: signing, addresses that may be called, sending, and when to try again."""
