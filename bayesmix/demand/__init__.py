"""What estimates are for: shares, substitution, money, coefficients of persons, from any fit."""
