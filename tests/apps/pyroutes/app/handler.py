# Laid out as pyroutes-admin.py does it.
from hello import *  # noqa: F403 (the routes register themselves)
from pyroutes import application

if __name__ == "__main__":
    from pyroutes.utils import devserver

    devserver(application)
