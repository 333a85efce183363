"""Formulas: from text, which is data, to columns of numbers, and what these vary by."""
