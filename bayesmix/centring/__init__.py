"""Grids centred on persons: where each person's own likelihood is."""
