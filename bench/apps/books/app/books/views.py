"""The page: the cheapest books, each with its author."""

from django.http import HttpRequest, HttpResponse
from django.shortcuts import render

from books.models import Book

SHOWN = 30


def cheapest(request: HttpRequest) -> HttpResponse:
    books = Book.objects.select_related("author").order_by("cents", "title")[:SHOWN]
    return render(request, "books/cheapest.html", {"books": books, "count": Book.objects.count()})
