"""The application of ``tests/apps/plain`` under the judge of the standard library."""

from wsgiref.validate import validator

from plain import application as unjudged

application = validator(unjudged)
