from django.urls import path
from visitors import views

urlpatterns = [
    path("", views.book, name="book"),
    path("upload/", views.upload, name="upload"),
]
