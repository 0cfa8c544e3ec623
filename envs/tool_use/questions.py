"""Makes questions from templates, each with the calls that lead to its answer.

A template draws what it asks for from the data of a world, and makes the calls itself: the answer is what they return.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from envs.tool_use.apis import APIS, TOOLS
from envs.tool_use.apis.drawing import draw_person
from envs.tool_use.apis.weather import DAYS
from envs.tool_use.tool import ToolError
from envs.tool_use.world import Call, World


class Unsuitable(Exception):
    """What was drawn gives no question with one answer; draw again."""


class Draft:
    """A question in the making: draws, makes calls, and remembers them."""

    def __init__(self, rng: random.Random, world: World):
        self.rng = rng
        self.world = world
        self.calls: list[Call] = []

    def call(self, name: str, /, **arguments: Any) -> Any:
        call = Call(name, arguments)
        self.calls.append(call)
        return self.world.run(call)

    def pick(self, api: str, table: str) -> dict[str, Any]:
        """A row of an API's data."""
        return self.rng.choice(self.world.state(api)[table])


Answer = str | int
Template = Callable[[Draft], tuple[str, Answer]]
"""Returns the question and its answer."""


@dataclass(frozen=True)
class Question:
    """A question with its solution."""

    template: str
    text: str
    answer: Answer
    calls: tuple[Call, ...]
    tools: tuple[str, ...]
    """Names of the tools that may be called."""

    world: str
    """Seed of the world."""


# Level 0: one call with flat arguments that the question gives; only its tool is there.


def stock_of_product(draft: Draft) -> tuple[str, Answer]:
    product_id = draft.pick("shop", "products")["product_id"]
    stock = draft.call("get_stock", product_id=product_id)["stock"]
    return f"How many pieces of the product {product_id} are in stock?", stock


def shelf_of_book(draft: Draft) -> tuple[str, Answer]:
    book_id = draft.pick("library", "books")["book_id"]
    return f"On which shelf is the book {book_id}?", draft.call("get_shelf", book_id=book_id)["shelf"]


def station_of_town(draft: Draft) -> tuple[str, Answer]:
    town = draft.pick("trains", "stations")["town"]
    return f"What is the id of the station in {town}?", draft.call("find_station", town=town)["station_id"]


# Level 1: one call, with nested arguments or a result to choose from; all tools of its API are there.


def weather_at_place(draft: Draft) -> tuple[str, Answer]:
    place_id, day = draft.pick("weather", "places")["place_id"], draft.rng.choice(DAYS)
    what, field = draft.rng.choice(
        [("temperature in °C", "temperature_c"), ("rain in mm", "rain_mm"), ("wind in km/h", "wind_kmh")]
    )
    forecast = draft.call("get_forecast", place_id=place_id, day=day)
    return f"What is the {what} at the place with the id {place_id} on {day}?", forecast[field]


def total_of_quote(draft: Draft) -> tuple[str, Answer]:
    products = draft.rng.sample(draft.world.state("shop")["products"], 2)
    items = [{"product_id": p["product_id"], "quantity": draft.rng.randint(1, 9)} for p in products]
    shipping = {"method": draft.rng.choice(("standard", "express")), "gift_wrap": draft.rng.random() < 0.5}
    total = draft.call("get_quote", items=items, shipping=shipping)["total"]
    listed = " and ".join(f"{item['quantity']} of {item['product_id']}" for item in items)
    wrap = "with" if shipping["gift_wrap"] else "without"
    return f"What is the total price of {listed} with {shipping['method']} shipping {wrap} gift wrap?", total


def book_of_author(draft: Draft) -> tuple[str, Answer]:
    book = draft.pick("library", "books")
    first = book["year"] - draft.rng.randint(0, 10)
    last = book["year"] + draft.rng.randint(0, 10)
    found = draft.call("find_books", query={"author": book["author"], "published": {"from": first, "to": last}})
    if len(found) > 1:
        raise Unsuitable
    return f"Which book by {book['author']} was published from {first} to {last}?", book["title"]


def first_train(draft: Draft) -> tuple[str, Answer]:
    start, end = draft.rng.sample(draft.world.state("trains")["stations"], 2)
    after = _time(draft)
    if draft.rng.random() < 0.5:
        asked = "the price of the first train"
        train = _trains(draft, start["station_id"], end["station_id"], after)[0]
        answer: Answer = train["price"]
    else:
        asked = "the id of the cheapest train"
        trains = _trains(draft, start["station_id"], end["station_id"], after)
        answer = min(trains, key=lambda train: train["price"])["train_id"]
    return (
        f"What is {asked} from station {start['station_id']} to station {end['station_id']} at {after} or later?",
        answer,
    )


# Level 2: an id has to be looked up before it can be used; all tools of the API are there.


def forecast_by_name(draft: Draft) -> tuple[str, Answer]:
    place = draft.pick("weather", "places")
    day = draft.rng.choice(DAYS)
    what, field = draft.rng.choice([("rain in mm", "rain_mm"), ("wind in km/h", "wind_kmh")])
    (found,) = draft.call("find_place", name=place["name"], country=place["country"])
    forecast = draft.call("get_forecast", place_id=found["place_id"], day=day)
    return f"What is the {what} in {place['name']}, {place['country']}, on {day}?", forecast[field]


def shelf_by_title(draft: Draft) -> tuple[str, Answer]:
    title = draft.pick("library", "books")["title"]
    (found,) = draft.call("find_books", query={"title": title})
    return f"On which shelf is the book '{title}'?", draft.call("get_shelf", book_id=found["book_id"])["shelf"]


def stock_by_filters(draft: Draft) -> tuple[str, Answer]:
    product = draft.pick("shop", "products")
    filters = {"category": product["category"], "max_price": product["price"] + draft.rng.randint(0, 9)}
    filters["min_rating"] = product["rating"]
    found = draft.call("search_products", filters=filters)
    if len(found) > 1:
        raise Unsuitable
    stock = draft.call("get_stock", product_id=found[0]["product_id"])["stock"]
    return (
        f"How many pieces are in stock of the {product['category']} for at most {filters['max_price']} with a rating "
        f"of at least {filters['min_rating']}?",
        stock,
    )


# Level 3: several look-ups, or one and a change; all tools of all APIs are there.


def train_between_towns(draft: Draft) -> tuple[str, Answer]:
    start, end = _towns(draft)
    after = _time(draft)
    trains = _trains(draft, _station(draft, start), _station(draft, end), after)
    cheapest = min(trains, key=lambda train: train["price"])
    return f"What is the price of the cheapest train from {start} to {end} at {after} or later?", cheapest["price"]


def windier_by(draft: Draft) -> tuple[str, Answer]:
    one, other = draft.rng.sample(draft.world.state("weather")["places"], 2)
    day = draft.rng.choice(DAYS)
    winds = []
    for place in (one, other):
        (found,) = draft.call("find_place", name=place["name"], country=place["country"])
        winds.append(draft.call("get_forecast", place_id=found["place_id"], day=day)["wind_kmh"])
    if winds[0] <= winds[1]:
        raise Unsuitable
    where = " than in ".join(f"{place['name']}, {place['country']}," for place in (one, other))
    return f"By how many km/h is the wind stronger in {where} on {day}?", winds[0] - winds[1]


def quote_by_names(draft: Draft) -> tuple[str, Answer]:
    products = draft.rng.sample(draft.world.state("shop")["products"], 2)
    items = []
    for product in products:
        (found,) = draft.call("search_products", filters={"name": product["name"]})
        items.append({"product_id": found["product_id"], "quantity": draft.rng.randint(2, 9)})
    method = draft.rng.choice(("standard", "express"))
    total = draft.call("get_quote", items=items, shipping={"method": method})["total"]
    listed = " and ".join(
        f"{item['quantity']} pieces of '{product['name']}'" for item, product in zip(items, products, strict=True)
    )
    return f"What is the total price of {listed} with {method} shipping?", total


def reservation(draft: Draft) -> tuple[str, Answer]:
    title = draft.pick("library", "books")["title"]
    reader = {"name": draw_person(draft.rng), "card_number": draft.rng.randint(1000, 99_999)}
    (found,) = draft.call("find_books", query={"title": title})
    result = draft.call("reserve_book", book_id=found["book_id"], reader=reader)
    return (
        f"Reserve the book '{title}' for {reader['name']}, card number {reader['card_number']}. What is the id of the "
        "reservation?",
        result["reservation_id"],
    )


# Level 4: results decide what to do next; all tools of all APIs are there.


def book_cheapest_train(draft: Draft) -> tuple[str, Answer]:
    start, end = _towns(draft)
    after = _time(draft)
    trains = _trains(draft, _station(draft, start), _station(draft, end), after)
    if len(trains) < 2:
        raise Unsuitable
    ages = [draft.rng.randint(20, 80), draft.rng.randint(2, 11)]
    passengers = [{"name": draw_person(draft.rng), "age": age} for age in ages]
    cheapest = min(trains, key=lambda train: train["price"])
    total = draft.call("book_seats", train_id=cheapest["train_id"], passengers=passengers)["total"]
    who = " and ".join(f"{passenger['name']}, aged {passenger['age']}," for passenger in passengers)
    return (
        f"Book seats for {who} on the cheapest train from {start} to {end} at {after} or later. What is the "
        "total price?",
        total,
    )


def stock_if_it_rains(draft: Draft) -> tuple[str, Answer]:
    place = draft.pick("weather", "places")
    day, limit = draft.rng.choice(DAYS), draft.rng.randrange(20, 70, 5)
    wet, dry = draft.rng.sample(draft.world.state("shop")["products"], 2)
    (found,) = draft.call("find_place", name=place["name"], country=place["country"])
    rain = draft.call("get_forecast", place_id=found["place_id"], day=day)["rain_mm"]
    if rain == limit:
        raise Unsuitable
    chosen = wet if rain > limit else dry
    (product,) = draft.call("search_products", filters={"name": chosen["name"]})
    stock = draft.call("get_stock", product_id=product["product_id"])["stock"]
    return (
        f"If more than {limit} mm of rain fall in {place['name']}, {place['country']}, on {day}, how many pieces of "
        f"'{wet['name']}' are in stock; if not, how many of '{dry['name']}'? Give the one number that applies.",
        stock,
    )


def order_best_rated(draft: Draft) -> tuple[str, Answer]:
    category = draft.pick("shop", "products")["category"]
    most = draft.rng.randint(80, 200)
    found = draft.call("search_products", filters={"category": category, "max_price": most})
    if len(found) < 2:
        raise Unsuitable
    best = max(found, key=lambda product: product["rating"])
    quantity = draft.rng.randint(2, 9)
    recipient = {"name": draw_person(draft.rng), "town": draft.pick("trains", "stations")["town"]}
    method = draft.rng.choice(("standard", "express"))
    result = draft.call(
        "place_order",
        items=[{"product_id": best["product_id"], "quantity": quantity}],
        shipping={"method": method},
        recipient=recipient,
    )
    return (
        f"Order {quantity} pieces of the best-rated {category} that costs at most {most}, for {recipient['name']} in "
        f"{recipient['town']}, with {method} shipping. What is the total price?",
        result["total"],
    )


def cheaper_destination(draft: Draft) -> tuple[str, Answer]:
    start, *ends = (station["town"] for station in draft.rng.sample(draft.world.state("trains")["stations"], 3))
    after = _time(draft)
    start_id = _station(draft, start)
    prices = {
        end: min(train["price"] for train in _trains(draft, start_id, _station(draft, end), after)) for end in ends
    }
    if len(set(prices.values())) == 1:
        raise Unsuitable
    title = draft.pick("library", "books")["title"]
    number = draft.rng.randint(1000, 99_999)
    (found,) = draft.call("find_books", query={"title": title})
    reader = {"name": f"{min(prices, key=lambda end: prices[end])} Library", "card_number": number}
    result = draft.call("reserve_book", book_id=found["book_id"], reader=reader)
    return (
        f"Which of {ends[0]} and {ends[1]} is cheaper to reach by train from {start} at {after} or later? Reserve the "
        f"book '{title}' for a reader whose name is that town followed by the word Library, such as '{start} Library', "
        f"with the card number {number}. What is the id of the reservation?",
        result["reservation_id"],
    )


LEVELS: tuple[tuple[Template, ...], ...] = (
    (stock_of_product, shelf_of_book, station_of_town),
    (weather_at_place, total_of_quote, book_of_author, first_train),
    (forecast_by_name, shelf_by_title, stock_by_filters),
    (train_between_towns, windier_by, quote_by_names, reservation),
    (book_cheapest_train, stock_if_it_rains, order_best_rated, cheaper_destination),
)
"""The templates of each level."""


def make_question(template: Template, level: int, seed: str) -> Question:
    """The question that a template makes with a seed.

    Raises:
        Unsuitable: it makes none with this one.
    """
    world = World(seed, tuple(TOOLS))
    draft = Draft(random.Random(f"{seed}/question"), world)
    try:
        text, answer = template(draft)
    except ToolError as error:  # nothing was found
        raise Unsuitable from error
    called = {call.name for call in draft.calls}
    apis = {TOOLS[name].api for name in called}
    if level == 0:
        tools = tuple(name for name in TOOLS if name in called)
    elif level <= 2:
        tools = tuple(tool.name for api in APIS if api in apis for tool in APIS[api].TOOLS)
    else:
        tools = tuple(TOOLS)
    return Question(template.__name__, text, answer, tuple(draft.calls), tools, seed)


def _towns(draft: Draft) -> tuple[str, str]:
    start, end = draft.rng.sample(draft.world.state("trains")["stations"], 2)
    return start["town"], end["town"]


def _time(draft: Draft) -> str:
    return f"{draft.rng.randint(5, 14):02}:{draft.rng.choice((0, 15, 30, 45)):02}"


def _station(draft: Draft, town: str) -> str:
    return draft.call("find_station", town=town)["station_id"]


def _trains(draft: Draft, from_id: str, to_id: str, after: str) -> list[dict[str, Any]]:
    """No two of them have the same price."""
    return draft.call("find_trains", from_id=from_id, to_id=to_id, departure={"after": after})
