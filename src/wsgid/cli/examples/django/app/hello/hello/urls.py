"""Which view answers which path."""

from django.contrib import admin
from django.urls import path

from hello.views import index

urlpatterns = [
    path("", index),
    path("admin/", admin.site.urls),
]
