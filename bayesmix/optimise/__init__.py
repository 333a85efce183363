"""The search for a maximum of the integrated likelihood, and its curvature."""
