"""The APIs that tasks are about: small, deterministic, and without effect outside of their own data.

Each module makes its data with `make_state(rng)`, a dict of JSON, and lists its `TOOLS`. What its tools change is
recorded in the data's `changes`, equal for equal changes.
"""

from __future__ import annotations

from envs.tool_use.apis import library, shop, trains, weather
from envs.tool_use.tool import Tool

APIS = {"weather": weather, "library": library, "trains": trains, "shop": shop}

TOOLS: dict[str, Tool] = {tool.name: tool for api in APIS.values() for tool in api.TOOLS}
"""Every tool, by name."""
