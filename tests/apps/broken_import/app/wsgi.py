"""Needs what is not installed, two modules deep."""

from shop.orders import application

__all__ = ["application"]
