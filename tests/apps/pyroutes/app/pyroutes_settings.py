import os

SECRET_KEY = "only for tests"
TEMPLATE_DIR = os.path.join(os.path.dirname(os.path.abspath(__file__)), "templates")
# pyroutes 0.5.1 cannot redirect while this is None, its default.
SITE_ROOT = ""
