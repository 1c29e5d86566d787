"""Django's admin for staff: to look, to filter, and to find the page where something is done.

What people did is never changed here. What can be changed goes through the same services as the pages.
"""

from . import items, projects, trials

__all__ = ["items", "projects", "trials"]
