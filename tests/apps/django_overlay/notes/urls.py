from django.contrib import admin
from django.contrib.staticfiles.views import serve
from django.urls import path

from notes import views

urlpatterns = [
    path("", views.index, name="index"),
    path("form", views.form),
    path("upload", views.upload),
    path("stream", views.stream),
    path("redirect", views.leave),
    path("absolute", views.leave_by_its_whole_url),
    path("items/<name>/", views.item, name="item"),
    path("urls", views.urls),
    path("etag", views.tagged),
    path("nothing", views.nothing),
    path("error", views.fail),
    path("body", views.body),
    path("cookies", views.cookies),
    path("echo", views.echo),
    path("attachment/<int:number>", views.attachment),
    path("admin/", admin.site.urls),
    # "insecure": otherwise only with DEBUG.
    path("static/<path:path>", serve, {"insecure": True}),
]
