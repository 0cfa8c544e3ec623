import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from envs.tool_use.apis import APIS, TOOLS
from envs.tool_use.tool import ToolError
from envs.tool_use.world import Call, World, replay


@pytest.fixture
def world():
    return World("w", tuple(TOOLS))


def test_twelve_tools_of_four_apis():
    assert len(TOOLS) == 12 and {tool.api for tool in TOOLS.values()} == set(APIS)


def test_ids_are_looked_up_by_one_call_for_another(world):
    place = world.state("weather")["places"][0]
    found = world.run(Call("find_place", {"name": f" {place['name'].upper()} ", "country": place["country"]}))
    forecast = world.run(Call("get_forecast", {"place_id": found[0]["place_id"], "day": "Friday"}))
    assert set(forecast) == {"temperature_c", "rain_mm", "wind_kmh"}
    assert len(world.run(Call("find_place", {"name": place["name"]}))) == 2  # also abroad


def test_what_is_found_fits_all_that_is_asked_and_limits_are_included(world):
    def found(name, key, **arguments):
        try:
            return [item[key] for item in world.run(Call(name, arguments))]
        except ToolError:
            return []

    books = world.state("library")["books"]
    book = books[0]
    for query, fits in (
        ({"author": book["author"]}, lambda other: other["author"] == book["author"]),
        ({"title": book["title"]}, lambda other: other is book),
        ({"title": book["title"], "author": "Nobody"}, lambda other: False),
        ({"published": {"from": book["year"], "to": book["year"]}}, lambda other: other["year"] == book["year"]),
        ({"published": {"from": 2000}}, lambda other: other["year"] >= 2000),
    ):
        assert found("find_books", "book_id", query=query) == [other["book_id"] for other in books if fits(other)]

    product = world.state("shop")["products"][0]
    limits = {"max_price": product["price"], "min_rating": product["rating"]}
    for changes, is_found in (
        ({}, True),
        ({"name": f" {product['name'].upper()} "}, True),
        ({"name": "Nothing"}, False),
        ({"max_price": product["price"] - 1}, False),
        ({"min_rating": product["rating"] + 0.1}, False),
        ({"category": world.state("shop")["products"][-1]["category"]}, False),
    ):
        filters = limits | {"category": product["category"]} | changes
        assert (product["product_id"] in found("search_products", "product_id", filters=filters)) is is_found

    train = world.state("trains")["trains"][5]
    way = {"from_id": train["from_id"], "to_id": train["to_id"]}
    at = {"after": train["departs"], "before": train["departs"]}
    assert found("find_trains", "train_id", **way, departure=at) == [train["train_id"]]
    with pytest.raises(ToolError, match="no station has the id 'S0'"):
        world.run(Call("find_trains", way | {"to_id": "S0"}))


def test_what_an_order_costs(world):
    state = world.state("shop")
    (one, two), fees = state["products"][:2], state["fees"]
    items = [{"product_id": one["product_id"], "quantity": 2}, {"product_id": two["product_id"], "quantity": 3}]
    goods = 2 * one["price"] + 3 * two["price"]
    for shipping, fee in (
        ({"method": "standard"}, fees["standard"]),
        ({"method": "express", "gift_wrap": False}, fees["express"]),
        ({"method": "express", "gift_wrap": True}, fees["express"] + fees["gift_wrap"]),
    ):
        result = world.run(Call("get_quote", {"items": items, "shipping": shipping}))
        assert result == {"goods": goods, "shipping": fee, "total": goods + fee}


def test_changes_are_seen_and_equal_ones_are_equal(world):
    products = [product["product_id"] for product in world.state("shop")["products"][:2]]
    recipient = {"name": "Ada", "town": "Arlen"}

    def order(items, shipping):
        return Call("place_order", {"items": items, "shipping": shipping, "recipient": recipient})

    one, two = ({"product_id": product, "quantity": n} for product, n in zip(products, (2, 3), strict=True))
    total = world.run(order([one, two], {"method": "express"}))["total"]
    assert total == world.run(Call("get_quote", {"items": [one, two], "shipping": {"method": "express"}}))["total"]
    assert len(world.changes) == 1
    same = [
        order([two, one], {"method": "express", "gift_wrap": False}),
        order([one | {"quantity": 1}, two, one | {"quantity": 1.0}], {"method": "express"}),
    ]
    for call in same:
        assert replay("w", world.tools, [call]).changes == world.changes
    for call in (
        order([one], {"method": "express"}),
        order([one, two], {"method": "standard"}),
        order([one, two], {"method": "express", "gift_wrap": True}),
        order([one, two | {"quantity": 4}], {"method": "express"}),
        Call(
            "place_order",
            order([one, two], {"method": "express"}).arguments | {"recipient": recipient | {"name": "Bo"}},
        ),
    ):
        assert replay("w", world.tools, [call]).changes != world.changes
    both = [order([one], {"method": "express"}), order([two], {"method": "standard"})]
    assert replay("w", world.tools, both).changes == replay("w", world.tools, both[::-1]).changes


def test_passengers_in_any_order_and_children_at_half_price(world):
    train = world.state("trains")["trains"][0]
    ada, bo = {"name": "Ada", "age": 40}, {"name": "Bo", "age": 11}
    calls = [Call("book_seats", {"train_id": train["train_id"], "passengers": who}) for who in ([ada, bo], [bo, ada])]
    assert world.run(calls[0])["total"] == train["price"] * 3 // 2
    grown = Call("book_seats", {"train_id": train["train_id"], "passengers": [ada, bo | {"age": 12}]})
    assert world.run(grown)["total"] == train["price"] * 2
    assert replay("w", world.tools, [grown]).changes != replay("w", world.tools, calls[:1]).changes
    assert replay("w", world.tools, calls[:1]).changes == replay("w", world.tools, calls[1:]).changes


def test_results_cannot_be_changed_from_outside(world):
    shelf = Call("get_forecast", {"place_id": world.state("weather")["places"][0]["place_id"], "day": "Monday"})
    world.run(shelf)["rain_mm"] = -1
    assert world.run(shelf)["rain_mm"] >= 0
    book = world.state("library")["books"][0]["book_id"]
    reader = {"name": "Ada", "card_number": 1}
    world.run(Call("reserve_book", {"book_id": book, "reader": reader}))
    before = world.changes
    reader["name"] = "Bo"
    assert world.changes == before


@pytest.mark.parametrize(
    ("name", "arguments", "message"),
    [
        ("get_stok", {}, "no tool is called 'get_stok'; did you mean get_stock?"),
        ("__import__", {"name": "os"}, "no tool is called '__import__'; there is find_place, "),
        ("get_stock", {}, "argument 'product_id' is missing"),
        ("get_stock", {"product_id": "A1"}, "no product has the id 'A1'; search_products gives ids"),
        ("get_shelf", {"book_id": "A1"}, "no book has the id 'A1'; find_books gives ids"),
        ("get_forecast", {"place_id": "A1", "day": "Monday"}, "no place has the id 'A1'; find_place gives ids"),
        ("find_place", {"name": "Nowhere", "country": "X"}, "no place is called 'Nowhere' in X"),
        ("find_station", {"town": "Nowhere"}, "no station is in 'Nowhere'"),
        ("find_trains", {"from_id": "A", "to_id": "B"}, "no station has the id 'A'; find_station gives ids"),
        ("book_seats", {"train_id": "A", "passengers": [{"name": "a", "age": 1}]}, "no train has the id 'A'"),
        ("find_books", {"query": {}}, "the query is empty"),
        ("find_books", {"query": {"title": "x"}}, "no book fits the query"),
        ("search_products", {"filters": {}}, "the filters are empty"),
        ("get_quote", {"a": 1, "b": 2, "c": 3, "d": 4}, "; and more"),
    ],
)
def test_refusals_say_what_to_do(world, name, arguments, message):
    with pytest.raises(ToolError) as caught:
        world.run(Call(name, arguments))
    assert message in str(caught.value)
    assert world.changes == []


def test_refusals_name_only_tools_that_are_there():
    with pytest.raises(ToolError) as caught:
        World("a", ["get_stock"]).run(Call("get_stock", {"product_id": "A1"}))
    assert str(caught.value) == "no product has the id 'A1'"
    book = World("a", TOOLS).state("library")["books"][0]["book_id"]
    with pytest.raises(ToolError, match="no tool is called 'get_shelf'; there is get_stock"):
        World("a", ["get_stock"]).run(Call("get_shelf", {"book_id": book}))


def test_times_are_checked(world):
    one, two = (station["station_id"] for station in world.state("trains")["stations"][:2])
    call = {"from_id": one, "to_id": two}
    assert len(world.run(Call("find_trains", call))) == 4
    with pytest.raises(ToolError, match="'9am' is no time of the day such as '09:30'"):
        world.run(Call("find_trains", call | {"departure": {"after": "9am"}}))
    with pytest.raises(ToolError, match="no train fits"):
        world.run(Call("find_trains", call | {"departure": {"after": "23:00", "before": "04:00"}}))


def test_equal_seeds_give_equal_worlds():
    for api in APIS:
        one, same, other = (json.dumps(World(seed, ()).state(api), sort_keys=True) for seed in ("a", "a", "b"))
        assert one == same != other


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=8,
)


def _fitting(schema):
    """Arguments that mostly fit, so that the tools themselves are reached."""
    match schema["type"]:
        case "object":
            required = {name: _fitting(schema["properties"][name]) for name in schema["required"]}
            optional = {n: _fitting(item) for n, item in schema["properties"].items() if n not in required}
            return st.fixed_dictionaries(required, optional=optional) | JSON
        case "array":
            return st.lists(_fitting(schema["items"]), min_size=1, max_size=3)
        case "integer" | "number":
            return st.integers(0, 3000) | st.floats(0, 3000)
        case "boolean":
            return st.booleans()
    return st.sampled_from(schema.get("enum", ["A1000", "", "09:00", "Arlen", "\x00"])) | st.text(max_size=5)


@given(st.sampled_from(sorted(TOOLS)).flatmap(lambda n: st.tuples(st.just(n), _fitting(TOOLS[n].parameters))))
def test_any_arguments_give_a_result_or_a_refusal(call):
    name, arguments = call
    if not isinstance(arguments, dict):
        return
    try:
        json.dumps(World("w", tuple(TOOLS)).run(Call(name, arguments)))
    except ToolError as error:
        assert str(error)


def test_there_is_an_end_to_changes(world):
    book = world.state("library")["books"][0]["book_id"]
    call = Call("reserve_book", {"book_id": book, "reader": {"name": "Ada", "card_number": 1}})
    assert len({world.run(call)["reservation_id"] for _ in range(20)}) == 20
    with pytest.raises(ToolError, match="no more books"):
        world.run(call)
