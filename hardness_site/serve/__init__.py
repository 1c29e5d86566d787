"""Everything on one machine from one command: the site's processes, started, watched, and stopped together."""
