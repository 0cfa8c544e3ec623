"""Reads SMILES that a model wrote: what is wrong with them, and where."""
