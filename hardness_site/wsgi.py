"""The WSGI callable that gunicorn serves."""

import os
import sys

from django.core.wsgi import get_wsgi_application

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "hardness_site.settings.embedded")

# Every statement lets the other threads of the process run. A thread that has its turn to write must not wait 5 ms
# (Python's default) after each to go on: everybody waits with it. Measured by benchmarks/label_server.py.
sys.setswitchinterval(0.0005)

application = get_wsgi_application()
