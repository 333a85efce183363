"""How far a number on a grid is from its exact integral, and grids that are near enough."""
