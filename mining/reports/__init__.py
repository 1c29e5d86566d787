"""Reports of a round: one a file, each a section with plain words, tables and charts.

Built by workers, shown by pages.
"""
