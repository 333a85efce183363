"""Tests of hypotheses on fits: Wald, likelihood ratio, Hausman, nesting."""
