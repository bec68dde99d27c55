FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python -m venv /venv
COPY requirements/run.txt requirements/run.txt
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --require-hashes -r requirements/run.txt

FROM python:3.11-slim-bookworm
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1 VAR_DIR=/var/lib/annotate
RUN useradd --system --uid 10001 --create-home --home-dir /home/annotate annotate \
    && install -d -o annotate -g annotate /var/lib/annotate
WORKDIR /app
COPY --from=build /venv /venv
COPY manage.py ./
COPY intermt_annotate intermt_annotate
COPY annotation annotation
COPY templates templates
COPY static static
COPY fixtures fixtures
RUN VAR_DIR=/app/build-var python manage.py collectstatic --noinput -v 0 \
    && mv /app/build-var/static /app/static-built && rm -rf /app/build-var
USER annotate
EXPOSE 8000
CMD ["sh", "-c", "mkdir -p $VAR_DIR/static && cp -r /app/static-built/. $VAR_DIR/static/ && exec gunicorn intermt_annotate.wsgi --config python:intermt_annotate.gunicorn --bind 0.0.0.0:8000"]
