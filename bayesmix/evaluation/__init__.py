"""How well results describe choices: scores of predictions, checks against replicated choices."""
