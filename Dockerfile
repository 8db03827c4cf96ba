# chaosprep with its codecs, without PyTorch: docs/scaling.md says how to use it, and add extras.
FROM python:3.13-slim-bookworm@sha256:01f42367a0a94ad4bc17111776fd66e3500c1d87c15bbd6055b7371d39c124fb AS build
ARG EXTRAS=codecs
WORKDIR /source
COPY pyproject.toml README.md LICENSE ./
COPY chaosprep chaosprep
RUN python -m venv /opt/chaosprep \
    && /opt/chaosprep/bin/python -m pip install --no-cache-dir ".[$EXTRAS]" \
    && /opt/chaosprep/bin/python -m pip uninstall --yes pip \
    && find /opt/chaosprep -path '*/tests/*' -name 'test_*' -type f -delete

FROM python:3.13-slim-bookworm@sha256:01f42367a0a94ad4bc17111776fd66e3500c1d87c15bbd6055b7371d39c124fb
LABEL org.opencontainers.image.title="chaosprep" \
      org.opencontainers.image.licenses="Apache-2.0" \
      org.opencontainers.image.source="https://chaosprep.example/chaosprep"
RUN useradd --uid 1000 --create-home chaosprep \
    && install --directory --owner=chaosprep --group=chaosprep /data
COPY --from=build /opt/chaosprep /opt/chaosprep
ENV PATH=/opt/chaosprep/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1
USER 1000:1000
WORKDIR /data
# A command ends and has its exit code; a worker's health is asked by its scheduler.
HEALTHCHECK NONE
CMD ["chaosprep", "--help"]
