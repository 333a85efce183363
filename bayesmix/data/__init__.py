"""Choice data: the only validation of user data, and the example that ships with the package."""
