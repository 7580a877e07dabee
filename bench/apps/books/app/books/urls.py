"""One page."""

from django.urls import path

from books.views import cheapest

urlpatterns = [path("", cheapest)]
