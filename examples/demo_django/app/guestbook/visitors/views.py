import hashlib

from django.core.files.uploadedfile import TemporaryUploadedFile, UploadedFile
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.views.decorators.http import require_http_methods

from visitors.forms import EntryForm, UploadForm
from visitors.models import Entry

SHOWN = 50
"""Entries on the page."""


@require_http_methods(["GET", "HEAD", "POST"])
def book(request: HttpRequest) -> HttpResponse:
    form = EntryForm(request.POST or None)
    if form.is_valid():
        form.save()
        return redirect("book")
    status = 422 if form.is_bound else 200
    context = {"form": form, "entries": Entry.objects.all()[:SHOWN], "count": Entry.objects.count()}
    return render(request, "visitors/book.html", context, status=status)


@require_http_methods(["GET", "HEAD", "POST"])
def upload(request: HttpRequest) -> HttpResponse:
    """Looks at a file and forgets it."""
    if request.method != "POST":
        return render(request, "visitors/upload.html", {"form": UploadForm()})
    form = UploadForm(request.POST, request.FILES)
    if not form.is_valid():
        return render(request, "visitors/upload.html", {"form": form}, status=422)
    facts = facts_about(form.cleaned_data["file"]) | how_it_arrived(request, form.cleaned_data["file"])
    return render(request, "visitors/upload.html", {"form": UploadForm(), "facts": facts})


def facts_about(file: UploadedFile) -> dict[str, str]:
    digest = hashlib.sha256()
    for chunk in file.chunks():
        digest.update(chunk)
    return {
        "Name": file.name or "",
        "Type, says the browser": file.content_type or "",
        "Size": f"{file.size:,} bytes",
        "SHA-256": digest.hexdigest(),
    }


def how_it_arrived(request: HttpRequest, file: UploadedFile) -> dict[str, str]:
    body = request.META["wsgi.input"]
    in_file = isinstance(file, TemporaryUploadedFile)
    return {
        "Body of the request": f"{int(request.META['CONTENT_LENGTH']):,} bytes, {request.META['SERVER_PROTOCOL']}",
        "The server gave it as": f"{type(body).__module__}.{type(body).__qualname__}",
        "Django kept it": "in a temporary file" if in_file else "in memory",
    }
