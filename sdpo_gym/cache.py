"""Where what was made once is kept on this machine."""

from __future__ import annotations

import os
from pathlib import Path


def cache_folder() -> Path:
    """`$SDPO_GYM_CACHE`, else `$XDG_CACHE_HOME/sdpo-gym`, else `~/.cache/sdpo-gym`; it may not exist yet."""
    user = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache")
    return Path(os.environ.get("SDPO_GYM_CACHE") or user / "sdpo-gym").expanduser()
