"""Endless chemistry tasks, verified by RDKit, with feedback that says why."""
