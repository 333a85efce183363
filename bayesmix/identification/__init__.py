"""What data cannot tell about a model: findings by kind, and the check that gathers them."""
