"""The project's WSGI application, as ``startproject`` would name it."""

import os

from django.core.wsgi import get_wsgi_application

os.environ["DJANGO_SETTINGS_MODULE"] = "books.settings"

application = get_wsgi_application()
