from django.contrib import admin
from django.contrib.staticfiles.urls import staticfiles_urlpatterns
from django.urls import path

from notes import views

urlpatterns = [
    path("", views.index),
    path("form", views.form),
    path("upload", views.upload),
    path("stream", views.stream),
    path("redirect", views.leave),
    path("cookies", views.cookies),
    path("echo", views.echo),
    path("attachment/<int:number>", views.attachment),
    path("admin/", admin.site.urls),
    *staticfiles_urlpatterns(),
]
