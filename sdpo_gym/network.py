"""What HTTP servers and their clients agree on: what a token looks like, and which addresses are this machine's own."""

from __future__ import annotations

import ipaddress

MIN_TOKEN_CHARS = 16


def check_token(token: str, name: str = "the token") -> None:
    """Raise ValueError on a token that is too short, or that no HTTP header can hold. `name`: where it came from."""
    if len(token) < MIN_TOKEN_CHARS or not token.isascii() or not token.isprintable() or " " in token:
        raise ValueError(
            f"{name} must have {MIN_TOKEN_CHARS} or more printable ASCII characters and no spaces; "
            f"it has {len(token)} characters"
        )


def is_loopback(host: str) -> bool:
    """Whether an address is this machine's own, which no other machine can reach."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
