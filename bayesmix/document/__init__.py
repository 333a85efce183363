"""One HTML file about fits and their data, to hand on: it asks for nothing from elsewhere."""
