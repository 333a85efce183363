"""What a model is: formula, laws of coefficients, classes, parameters and their names."""
