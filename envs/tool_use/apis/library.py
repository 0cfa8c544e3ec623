"""The library API: books, where they stand, and reservations."""

from __future__ import annotations

import random
from typing import Any

from envs.tool_use.apis.drawing import NAMES, draw_ids, draw_person, same
from envs.tool_use.tool import TEXT, Tool, ToolError, integer, parameters

YEAR = integer(1000, 2100)


def make_state(rng: random.Random) -> dict[str, Any]:
    """Twenty-four books by eight authors."""
    titles = [f"The {adjective} {noun}" for adjective in NAMES["title_adjectives"] for noun in NAMES["title_nouns"]]
    authors: list[str] = []
    while len(authors) < 8:
        author = draw_person(rng)
        if author not in authors:
            authors.append(author)
    books = [
        {
            "book_id": book_id,
            "title": title,
            "author": rng.choice(authors),
            "year": rng.randint(1900, 2020),
            "shelf": rng.randint(100, 999),
            "ready_in_days": rng.randint(2, 90),
        }
        for book_id, title in zip(draw_ids(rng, "B", 24), rng.sample(titles, 24), strict=True)
    ]
    return {"books": books, "changes": [], "reservation_ids": draw_ids(rng, "R", 20)}


def find_books(state: dict[str, Any], query: dict[str, Any]) -> list[dict[str, Any]]:
    if not query:
        raise ToolError("the query is empty; give a title, an author or years")
    years = query.get("published", {})
    found = [
        {key: book[key] for key in ("book_id", "title", "author", "year")}
        for book in state["books"]
        if ("title" not in query or same(book["title"], query["title"]))
        and ("author" not in query or same(book["author"], query["author"]))
        and years.get("from", 0) <= book["year"] <= years.get("to", 9999)
    ]
    if not found:
        raise ToolError("no book fits the query")
    return found[:10]


def get_shelf(state: dict[str, Any], book_id: str) -> dict[str, Any]:
    return {"shelf": _book(state, book_id)["shelf"]}


def reserve_book(state: dict[str, Any], book_id: str, reader: dict[str, Any]) -> dict[str, Any]:
    book = _book(state, book_id)
    if len(state["changes"]) == len(state["reservation_ids"]):
        raise ToolError("no more books can be reserved today")
    state["changes"].append({"book_id": book_id, "reader": reader})
    reservation_id = state["reservation_ids"][len(state["changes"]) - 1]
    return {"reservation_id": reservation_id, "ready_in_days": book["ready_in_days"]}


def _book(state: dict[str, Any], book_id: str) -> dict[str, Any]:
    for book in state["books"]:
        if book["book_id"] == book_id:
            return book
    raise ToolError(f"no book has the id {book_id[:60]!r}", source="find_books")


TOOLS = (
    Tool(
        "find_books",
        "library",
        "Finds books that fit all parts of a query.",
        parameters(
            {
                "query": parameters(
                    {}, {"title": TEXT, "author": TEXT, "published": parameters({}, {"from": YEAR, "to": YEAR})}
                )
            }
        ),
        find_books,
    ),
    Tool(
        "get_shelf",
        "library",
        "Says on which shelf a book is.",
        parameters({"book_id": TEXT}),
        get_shelf,
    ),
    Tool(
        "reserve_book",
        "library",
        "Reserves a book for a reader, and says when it is ready.",
        parameters({"book_id": TEXT, "reader": parameters({"name": TEXT, "card_number": integer(1, 999_999)})}),
        reserve_book,
    ),
)
