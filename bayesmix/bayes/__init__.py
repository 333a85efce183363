"""Posteriors: all of PyTensor and PyMC, priors, sampling, and what is read off draws."""
