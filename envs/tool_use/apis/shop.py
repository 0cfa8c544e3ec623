"""The shop API: products, stock, quotes and orders."""

from __future__ import annotations

import random
from typing import Any

from envs.tool_use.apis.drawing import NAMES, draw_ids
from envs.tool_use.tool import TEXT, Tool, ToolError, choice, integer, parameters


def make_state(rng: random.Random) -> dict[str, Any]:
    """Four products in each of six categories."""
    categories = sorted(rng.sample(NAMES["categories"], 6))
    ids = iter(draw_ids(rng, "A", 24))
    products = []
    for category in categories:
        ratings = rng.sample(range(20, 50), 4)
        prices = rng.sample(range(5, 200), 4)
        for brand, rating, price in zip(rng.sample(NAMES["brands"], 4), ratings, prices, strict=True):
            products.append(
                {
                    "product_id": next(ids),
                    "name": f"{brand} {category}",
                    "category": category,
                    "price": price,
                    "rating": rating / 10,
                    "stock": rng.randint(10, 999),
                }
            )
    fees = {"standard": rng.randint(3, 9), "express": rng.randint(10, 25), "gift_wrap": rng.randint(2, 6)}
    return {"products": products, "fees": fees, "changes": [], "order_ids": draw_ids(rng, "O", 20)}


def search_products(state: dict[str, Any], filters: dict[str, Any]) -> list[dict[str, Any]]:
    if not filters:
        raise ToolError("the filters are empty; give at least one")
    found = [
        {key: product[key] for key in ("product_id", "name", "price", "rating")}
        for product in state["products"]
        if filters.get("category", product["category"]) == product["category"]
        and filters.get("name", product["name"]).strip().casefold() == product["name"].casefold()
        and product["price"] <= filters.get("max_price", product["price"])
        and product["rating"] >= filters.get("min_rating", product["rating"])
    ]
    if not found:
        raise ToolError("no product fits the filters")
    return found[:10]


def get_stock(state: dict[str, Any], product_id: str) -> dict[str, Any]:
    return {"stock": _product(state, product_id)["stock"]}


def get_quote(state: dict[str, Any], items: list[dict[str, Any]], shipping: dict[str, Any]) -> dict[str, Any]:
    goods = sum(_product(state, item["product_id"])["price"] * item["quantity"] for item in items)
    fee = state["fees"][shipping["method"]] + state["fees"]["gift_wrap"] * shipping.get("gift_wrap", False)
    return {"goods": goods, "shipping": fee, "total": goods + fee}


def place_order(
    state: dict[str, Any], items: list[dict[str, Any]], shipping: dict[str, Any], recipient: dict[str, Any]
) -> dict[str, Any]:
    total = get_quote(state, items, shipping)["total"]
    if len(state["changes"]) == len(state["order_ids"]):
        raise ToolError("no more orders are taken today")
    quantities: dict[str, int] = {}
    for item in items:
        quantities[item["product_id"]] = quantities.get(item["product_id"], 0) + item["quantity"]
    shipping = {"gift_wrap": False} | shipping
    state["changes"].append({"items": quantities, "shipping": shipping, "recipient": recipient})
    return {"order_id": state["order_ids"][len(state["changes"]) - 1], "total": total}


def _product(state: dict[str, Any], product_id: str) -> dict[str, Any]:
    for product in state["products"]:
        if product["product_id"] == product_id:
            return product
    raise ToolError(f"no product has the id {product_id[:60]!r}", source="search_products")


_ITEMS = {
    "type": "array",
    "items": parameters({"product_id": TEXT, "quantity": integer(1, 99)}),
    "minItems": 1,
    "maxItems": 9,
}
_SHIPPING = parameters({"method": choice("standard", "express")}, {"gift_wrap": {"type": "boolean"}})

TOOLS = (
    Tool(
        "search_products",
        "shop",
        "Finds products that pass all filters.",
        parameters(
            {
                "filters": parameters(
                    {},
                    {
                        "category": choice(*NAMES["categories"]),
                        "name": TEXT,
                        "max_price": {"type": "number", "minimum": 0},
                        "min_rating": {"type": "number", "minimum": 0, "maximum": 5},
                    },
                )
            }
        ),
        search_products,
    ),
    Tool(
        "get_stock",
        "shop",
        "Says how many pieces of a product are in stock.",
        parameters({"product_id": TEXT}),
        get_stock,
    ),
    Tool(
        "get_quote",
        "shop",
        "Gives the price of an order without placing it.",
        parameters({"items": _ITEMS, "shipping": _SHIPPING}),
        get_quote,
    ),
    Tool(
        "place_order",
        "shop",
        "Places an order.",
        parameters({"items": _ITEMS, "shipping": _SHIPPING, "recipient": parameters({"name": TEXT, "town": TEXT})}),
        place_order,
    ),
)
