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
from django.templatetags.static import static
from django.urls import reverse
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import etag

from notes.models import Note

ITEM = "gr\xfc\xdfe & mehr"
"""An item's name that has to be escaped in a URL."""


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
    return HttpResponseRedirect(reverse("index"))


def leave_by_its_whole_url(request: HttpRequest) -> HttpResponseRedirect:
    return HttpResponseRedirect(request.build_absolute_uri(reverse("index")))


def item(request: HttpRequest, name: str) -> HttpResponse:
    return HttpResponse(f"{name}: {request.GET.getlist('tag')}", content_type="text/plain")


def urls(request: HttpRequest) -> JsonResponse:
    """Where this application has its pages, as it is told apart from its server."""
    return JsonResponse(
        {
            "root": request.META["SCRIPT_NAME"],
            "here": request.build_absolute_uri(),
            "index": reverse("index"),
            "whole": request.build_absolute_uri(reverse("index")),
            "item": reverse("item", args=[ITEM]),
            "static": static("site.css"),
        }
    )


@etag(lambda request: '"one"')
def tagged(request: HttpRequest) -> HttpResponse:
    return HttpResponse("unchanged")


def nothing(request: HttpRequest) -> HttpResponse:
    return HttpResponse(status=204)


def fail(request: HttpRequest) -> HttpResponse:
    raise RuntimeError("as it was asked to")


@csrf_exempt
def body(request: HttpRequest) -> JsonResponse:
    content = request.body
    return JsonResponse(
        {
            "type": request.content_type,
            "length": int(request.META["CONTENT_LENGTH"]),
            "size": len(content),
            "sha256": hashlib.sha256(content).hexdigest(),
        }
    )


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
