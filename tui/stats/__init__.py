"""Pure functions over the catalog's figures: models in, numbers out."""
