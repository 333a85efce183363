"""Estimators of maximum likelihood, moments and scores, and what their fits can say."""
