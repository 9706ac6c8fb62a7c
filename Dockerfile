# Keeps a warehouse in step with Zendesk; docs/containers.md says how to run it.
# Any Python from 3.10 on will do; a digest (python@sha256:…) pins the system below it as well.
ARG PYTHON_IMAGE=python:3.11-slim-bookworm

FROM ${PYTHON_IMAGE} AS build
WORKDIR /build
COPY deploy/build.txt deploy/requirements.txt ./
RUN python3 -m venv tools && tools/bin/pip install --no-cache-dir --require-hashes -r build.txt
RUN python3 -m venv --without-pip /opt/zendesk && \
    tools/bin/pip --python /opt/zendesk/bin/python3 install --no-cache-dir --require-hashes -r requirements.txt && \
    cd /opt/zendesk/lib/python3*/site-packages && rm -r pandas/tests pyarrow/include pyarrow/tests
COPY LICENSE README.md pyproject.toml ./
COPY zendesk_support zendesk_support
RUN tools/bin/python3 -m hatchling build -t wheel -d dist && \
    tools/bin/pip --python /opt/zendesk/bin/python3 install --no-index --no-deps dist/*.whl

FROM ${PYTHON_IMAGE}
RUN groupadd --gid 10001 zendesk && \
    useradd --uid 10001 --gid 10001 --home-dir /data --no-create-home --shell /usr/sbin/nologin zendesk && \
    install --directory --owner zendesk --group zendesk /data /etc/zendesk /run/zendesk
COPY --from=build /opt/zendesk /opt/zendesk
ENV PATH=/opt/zendesk/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    DLT_CONFIG_FOLDER=/etc/zendesk \
    DLT_DATA_DIR=/data/dlt \
    RUNTIME__DLTHUB_TELEMETRY=false
USER 10001:10001
WORKDIR /data
VOLUME /data
STOPSIGNAL SIGTERM
HEALTHCHECK --interval=1m --timeout=10s --start-period=15m CMD ["zendesk-healthy", "/run/zendesk/status.json"]
CMD ["zendesk-to-postgres", "--every", "1m", "--status-file", "/run/zendesk/status.json"]
