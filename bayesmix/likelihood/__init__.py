"""A model bound to data, and its integrated log-likelihood with derivatives."""
