import hashlib
from collections.abc import Iterator

from django.http import (
    FileResponse,
    HttpRequest,
    HttpResponse,
    HttpResponseRedirect,
    JsonResponse,
    StreamingHttpResponse,
)
from django.shortcuts import get_object_or_404
from django.views.decorators.csrf import csrf_exempt

from notes.models import Note


def index(request: HttpRequest) -> HttpResponse:
    titles = ", ".join(Note.objects.order_by("pk").values_list("title", flat=True))
    return HttpResponse(f"Hello from Django; notes: {titles}")


@csrf_exempt
def form(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        return HttpResponse(f"name={request.POST['name']}")
    return HttpResponse('<form method="post"><input name="name"></form>')


@csrf_exempt
def upload(request: HttpRequest) -> JsonResponse:
    file = request.FILES["file"]
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return JsonResponse({"name": file.name, "size": file.size, "sha256": digest.hexdigest()})


def stream(request: HttpRequest) -> StreamingHttpResponse:
    def parts() -> Iterator[str]:
        for number in range(1000):
            yield f"line {number}\n"

    return StreamingHttpResponse(parts(), content_type="text/plain")


def leave(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect("/")


def cookies(request: HttpRequest) -> JsonResponse:
    """Tells those that came and sets two."""
    response = JsonResponse(request.COOKIES)
    response.set_cookie("one", "1")
    response.set_cookie("two", "2")
    return response


@csrf_exempt
def echo(request: HttpRequest) -> JsonResponse:
    facts = {name: value for name, value in request.META.items() if isinstance(value, str | bool | int)}
    return JsonResponse(facts)


def attachment(request: HttpRequest, number: int) -> FileResponse:
    """By ``wsgi.file_wrapper``."""
    return FileResponse(get_object_or_404(Note, pk=number).attachment.open())
