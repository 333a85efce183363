"""What estimates are for: coefficients of persons, from any fit."""
