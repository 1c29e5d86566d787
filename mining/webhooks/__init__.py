"""Telling programs elsewhere what happened: signing, addresses that may be called, sending, trying again."""
