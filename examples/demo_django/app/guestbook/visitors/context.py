import os

from django.http import HttpRequest


def worker(request: HttpRequest) -> dict[str, object]:
    """For the foot of each page: who served it."""
    return {"worker": os.getpid(), "software": request.META.get("SERVER_SOFTWARE", "")}
