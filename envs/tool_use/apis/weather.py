"""The weather API: places and their forecasts."""

from __future__ import annotations

import random
from typing import Any

from envs.tool_use.apis.drawing import NAMES, draw_ids, same
from envs.tool_use.tool import TEXT, Tool, ToolError, choice, parameters

DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")


def make_state(rng: random.Random) -> dict[str, Any]:
    """Twelve places, of which some share a name, with a forecast for each day of a week."""
    towns = rng.sample(NAMES["towns"], 8)
    homonyms = towns[:4]
    ids = draw_ids(rng, "P", 12)
    places = []
    for town in towns:
        countries = rng.sample(NAMES["countries"], 2 if town in homonyms else 1)
        places += [{"place_id": ids[len(places) + i], "name": town, "country": c} for i, c in enumerate(countries)]
    forecasts = {
        place["place_id"]: {
            day: {
                "temperature_c": rng.randint(-20, 40),
                "rain_mm": rng.randint(0, 90),
                "wind_kmh": rng.randint(3, 99),
            }
            for day in DAYS
        }
        for place in places
    }
    return {"places": places, "forecasts": forecasts, "changes": []}


def find_place(state: dict[str, Any], name: str, country: str | None = None) -> list[dict[str, Any]]:
    found = [
        place
        for place in state["places"]
        if same(place["name"], name) and (country is None or same(place["country"], country))
    ]
    if not found:
        where = "" if country is None else f" in {country[:60]}"
        raise ToolError(f"no place is called {name[:60]!r}{where}")
    return found


def get_forecast(state: dict[str, Any], place_id: str, day: str) -> dict[str, Any]:
    if place_id not in state["forecasts"]:
        raise ToolError(f"no place has the id {place_id[:60]!r}", source="find_place")
    return state["forecasts"][place_id][day]


TOOLS = (
    Tool(
        "find_place",
        "weather",
        "Finds the places of a name; they may be in several countries.",
        parameters({"name": TEXT}, {"country": TEXT}),
        find_place,
    ),
    Tool(
        "get_forecast",
        "weather",
        "Gives temperature, rain and wind at a place on a day.",
        parameters({"place_id": TEXT, "day": choice(*DAYS)}),
        get_forecast,
    ),
)
