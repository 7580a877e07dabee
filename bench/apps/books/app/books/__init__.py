"""A shop's list of books: a Django project of one application and one page."""
