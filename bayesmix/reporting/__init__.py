"""Tables and plots of fits: side by side, on the terminal, in files. Nothing here estimates."""
