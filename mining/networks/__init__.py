"""Networks that users upload: looked at and run in a process of their own, with limits. No Django in here."""
