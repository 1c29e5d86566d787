# One image for web, worker, housekeeper and beat; docker-compose.yml says which does what.
FROM python:3.11-slim AS build
WORKDIR /app
# First what changes rarely: the packages, from the same locks as everywhere.
COPY requirements requirements
COPY package.json package-lock.json .npmrc ./
# Compiled here: the user that runs it may not write.
RUN python requirements/install.py && (.venv/bin/python -m compileall -q -j 0 .venv || true)
COPY . .
# Nothing of this environment stays in the image; the static files need settings that load.
RUN SECRET_KEY=not-kept ALLOWED_HOSTS=localhost DATABASE_URL=sqlite://:memory: REDIS_URL=redis://localhost \
    DJANGO_SETTINGS_MODULE=hardness_site.settings.production HARDNESS_STATIC_DIR=/app/collected \
    .venv/bin/python manage.py collectstatic --no-input --verbosity 0 \
    && .venv/bin/python -m compileall -q hardness_site annotations mining \
    && rm -rf node_modules

FROM python:3.11-slim
RUN useradd --uid 10001 --no-create-home --shell /usr/sbin/nologin hardness \
    && install -d -o hardness -g hardness /data
WORKDIR /app
COPY --from=build /app /app
ENV PATH=/app/.venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DJANGO_SETTINGS_MODULE=hardness_site.settings.production \
    HARDNESS_DATA_DIR=/data \
    HARDNESS_STATIC_DIR=/app/collected
USER 10001:10001
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=30s \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["gunicorn", "hardness_site.wsgi", "--bind", "0.0.0.0:8000", "--worker-class", "gthread", "--workers", "2", "--threads", "16", "--no-control-socket"]
