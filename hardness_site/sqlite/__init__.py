"""SQLite for many writers: Django's backend, plus a fair line in front of the write lock."""
