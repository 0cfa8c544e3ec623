"""The worker of a sandbox: a standalone program of the standard library alone, run as `python path/to/worker`.

Its modules import one another by bare names, because a worker runs without the packages of its host. The host imports
only `wire`, what the two have in common.
"""
