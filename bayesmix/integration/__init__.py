"""Integration rules and grids of standard normal nodes; knows no model."""
