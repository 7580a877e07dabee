"""App folders that the tests serve; ``django_project`` makes one more."""
