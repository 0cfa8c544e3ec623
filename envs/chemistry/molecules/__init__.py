"""Molecules: formulas, functional groups, properties, and where generated ones come from."""
