# Muniment in a container. The data folder is the volume /data; it holds the
# archive and, unless MUNIMENT_MASTER_KEY_FILE and MUNIMENT_KEYRING_URL say
# otherwise, its keys. Back the two up apart (docs: operator's guide).
#
#   docker build -t muniment .
#   docker run --rm -it -v muniment:/data muniment muniment init --help
#   docker run -d -p 127.0.0.1:8000:8000 -v muniment:/data muniment

FROM python:3.11-slim AS build
ENV PIP_NO_CACHE_DIR=1 PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_ROOT_USER_ACTION=ignore
WORKDIR /build

# What runs: exactly the locked versions, in an environment of its own.
COPY requirements.lock .
RUN python -m venv /opt/muniment \
 && /opt/muniment/bin/pip install --require-hashes -r requirements.lock

# What builds: the locked build backend; it stays behind in this stage.
COPY requirements-dev.lock .
RUN pip install --require-hashes -r requirements-dev.lock

COPY . .
RUN pip wheel --no-deps --no-build-isolation --no-index --wheel-dir dist . \
 && /opt/muniment/bin/pip install --no-deps --no-index dist/muniment-*.whl \
 && /opt/muniment/bin/pip uninstall --yes pip setuptools


FROM python:3.11-slim
COPY --from=build /opt/muniment /opt/muniment
# What letters, certificates and productions are set in: names in every script.
RUN apt-get update \
 && apt-get install --yes --no-install-recommends fonts-dejavu-core fonts-noto-core fonts-noto-cjk fonts-noto-color-emoji \
 && rm -rf /var/lib/apt/lists/*
RUN useradd --system --uid 10001 --no-create-home --home-dir /data muniment \
 && install --directory --owner=muniment --group=muniment --mode=0700 /data
ENV PATH=/opt/muniment/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    MUNIMENT_HOME=/data
USER 10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s --retries=3 \
    CMD ["python", "-c", "import urllib.request; urllib.request.urlopen('http://127.0.0.1:8000/healthz', timeout=4)"]
CMD ["muniment", "serve", "--host", "0.0.0.0", "--port", "8000"]
