"""A page of Django from SQLite: two queries, a template, the usual middleware; and the database that it reads."""

import sqlite3
from contextlib import closing
from pathlib import Path

from bench.contender import APPS, Application
from bench.scenarios.closed import behind, page

DATABASE = Path(__file__).parents[2] / "build" / "bench-books.sqlite3"

AUTHORS, BOOKS = 100, 2000

TABLES = """
CREATE TABLE books_author (id INTEGER PRIMARY KEY, name TEXT NOT NULL);
CREATE TABLE books_book (id INTEGER PRIMARY KEY, author_id INTEGER NOT NULL REFERENCES books_author (id),
    title TEXT NOT NULL, cents INTEGER NOT NULL);
CREATE INDEX books_book_cents ON books_book (cents, title);
"""
"""As the models of the project have them. Made here, or Django would be loaded into what measures."""


def with_database() -> Application:
    DATABASE.parent.mkdir(exist_ok=True)
    DATABASE.unlink(missing_ok=True)
    with closing(sqlite3.connect(DATABASE)) as database:
        database.executescript(TABLES)
        authors = ((number, f"author {number}") for number in range(AUTHORS))
        books = ((number, number % AUTHORS, f"Book {number}", 500 + number * 7919 % 4000) for number in range(BOOKS))
        database.executemany("INSERT INTO books_author VALUES (?, ?)", authors)
        database.executemany("INSERT INTO books_book VALUES (?, ?, ?, ?)", books)
        database.commit()
    return Application(APPS / "books", {"BENCH_DATABASE": str(DATABASE)})


def right(body: bytes) -> bool:
    return f"The cheapest of {BOOKS} books".encode() in body


OVER_HTTP = page(
    name="django",
    title="A Django page from SQLite",
    words="Two queries, a template, the usual middleware: the page of a small shop with 30 of 2,000 books.",
    application=with_database,
    right=right,
)

BEHIND = behind(OVER_HTTP)
