#!/usr/bin/env python
"""Run a management command of the site."""

import os
import sys


def main() -> None:
    """Hand the command line to Django, with the embedded settings unless told otherwise."""
    if sys.version_info < (3, 11):
        sys.exit(f"Python 3.11 or newer is needed; this is {sys.version.split()[0]}.")
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hardness_site.settings.embedded")
    try:
        from django.core.management import execute_from_command_line

        from hardness_site.processes import ONE_THREAD
    except ImportError:
        sys.exit("Django is not installed in this Python. Run `make setup`, then `.venv/bin/python manage.py`.")
    if sys.argv[1:2] == ["serve"]:
        # The parts of the site are forks of this process, and numpy makes its threads when it is imported.
        os.environ.update(ONE_THREAD)
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
