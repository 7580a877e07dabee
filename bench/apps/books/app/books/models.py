"""Authors and their books."""

from django.db import models


class Author(models.Model):
    name = models.CharField(max_length=100)

    def __str__(self) -> str:
        return str(self.name)


class Book(models.Model):
    author = models.ForeignKey(Author, models.CASCADE)
    title = models.CharField(max_length=200)
    cents = models.IntegerField()

    def __str__(self) -> str:
        return str(self.title)
