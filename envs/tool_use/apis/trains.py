"""The trains API: stations, connections and seats."""

from __future__ import annotations

import random
import re
from typing import Any

from envs.tool_use.apis.drawing import NAMES, draw_ids, same
from envs.tool_use.tool import TEXT, Tool, ToolError, integer, parameters

CHILD_AGE = 12
"""Younger passengers pay half."""

STATIONS = 6
TRAINS_A_DAY = 4


def make_state(rng: random.Random) -> dict[str, Any]:
    """Six stations, with four trains a day from each to each other, at different prices."""
    towns = rng.sample(NAMES["towns"], STATIONS)
    stations = [
        {"station_id": station_id, "town": town}
        for station_id, town in zip(draw_ids(rng, "S", STATIONS), towns, strict=True)
    ]
    ids = [station["station_id"] for station in stations]
    pairs = [(start, end) for start in ids for end in ids if start != end]
    train_ids = iter(draw_ids(rng, "T", len(pairs) * TRAINS_A_DAY))
    trains = []
    for start, end in pairs:
        prices = rng.sample(range(10, 150), TRAINS_A_DAY)
        for minutes, price in zip(sorted(rng.sample(range(300, 1200, 5), TRAINS_A_DAY)), prices, strict=True):
            arrival = minutes + rng.randrange(30, 240, 5)
            trains.append(
                {
                    "train_id": next(train_ids),
                    "from_id": start,
                    "to_id": end,
                    "departs": f"{minutes // 60:02}:{minutes % 60:02}",
                    "arrives": f"{arrival // 60:02}:{arrival % 60:02}",
                    "price": 2 * price,
                }
            )
    return {"stations": stations, "trains": trains, "changes": [], "booking_ids": draw_ids(rng, "K", 20)}


def find_station(state: dict[str, Any], town: str) -> dict[str, Any]:
    for station in state["stations"]:
        if same(station["town"], town):
            return {"station_id": station["station_id"]}
    raise ToolError(f"no station is in {town[:60]!r}")


def find_trains(
    state: dict[str, Any], from_id: str, to_id: str, departure: dict[str, str] | None = None
) -> list[dict[str, Any]]:
    known = {station["station_id"] for station in state["stations"]}
    for station_id in (from_id, to_id):
        if station_id not in known:
            raise ToolError(f"no station has the id {station_id[:60]!r}", source="find_station")
    departure = departure or {}
    for time in departure.values():
        if re.fullmatch(r"([01]\d|2[0-3]):[0-5]\d", time) is None:
            raise ToolError(f"{time[:60]!r} is no time of the day such as '09:30'")
    found = [
        {key: train[key] for key in ("train_id", "departs", "arrives", "price")}
        for train in state["trains"]
        if (train["from_id"], train["to_id"]) == (from_id, to_id)
        and departure.get("after", "00:00") <= train["departs"] <= departure.get("before", "23:59")
    ]
    if not found:
        raise ToolError("no train fits")
    return found


def book_seats(state: dict[str, Any], train_id: str, passengers: list[dict[str, Any]]) -> dict[str, Any]:
    prices = {train["train_id"]: train["price"] for train in state["trains"]}
    if train_id not in prices:
        raise ToolError(f"no train has the id {train_id[:60]!r}", source="find_trains")
    if len(state["changes"]) == len(state["booking_ids"]):
        raise ToolError("no more seats can be booked today")
    in_order = sorted(passengers, key=lambda passenger: (passenger["name"], passenger["age"]))
    state["changes"].append({"train_id": train_id, "passengers": in_order})
    price = prices[train_id]
    total = sum(price // 2 if passenger["age"] < CHILD_AGE else price for passenger in passengers)
    return {"booking_id": state["booking_ids"][len(state["changes"]) - 1], "total": total}


TOOLS = (
    Tool(
        "find_station",
        "trains",
        "Gives the id of the station in a town.",
        parameters({"town": TEXT}),
        find_station,
    ),
    Tool(
        "find_trains",
        "trains",
        "Lists the trains of a day between two stations, in the order of departure.",
        parameters({"from_id": TEXT, "to_id": TEXT}, {"departure": parameters({}, {"after": TEXT, "before": TEXT})}),
        find_trains,
    ),
    Tool(
        "book_seats",
        "trains",
        f"Books seats on a train, and gives the total price; passengers under {CHILD_AGE} pay half.",
        parameters(
            {
                "train_id": TEXT,
                "passengers": {
                    "type": "array",
                    "items": parameters({"name": TEXT, "age": integer(0, 120)}),
                    "minItems": 1,
                    "maxItems": 9,
                },
            }
        ),
        book_seats,
    ),
)
