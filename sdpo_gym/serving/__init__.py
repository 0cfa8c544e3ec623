"""Environments over the network, in OpenEnv's protocol: a server for any text environment, and an environment that is
played on a server."""
