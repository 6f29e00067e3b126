# All three servers, or one. Over stdio, as a client starts it:
#     docker run -i --rm -v dealdesk:/data dealdesk
# Over HTTP, with grants (the public key in /data/keys):
#     docker run -p 127.0.0.1:8000:8000 -v dealdesk:/data dealdesk \
#         serve all --transport http --host 0.0.0.0 --allowed-host localhost
# compose.yaml runs one container for each server.
ARG BASE=docker.io/library/python:3.13-slim

FROM ${BASE} AS build
ARG PIP_INDEX_URL=https://pypi.org/simple
ARG EXTRAS=pdf
WORKDIR /src
RUN python3 -m venv /opt/dealdesk
COPY pyproject.toml constraints.txt ./
# what others wrote changes less often than what we write, so it has a layer of its own
RUN python3 -c "import tomllib; print(*tomllib.load(open('pyproject.toml', 'rb'))['project']['dependencies'], sep='\n')" > needed.txt \
    && /opt/dealdesk/bin/pip install --no-cache-dir --quiet -c constraints.txt -r needed.txt
COPY README.md LICENSE ./
COPY servers servers
COPY orchestrator orchestrator
COPY dealdesk dealdesk
COPY seed_data seed_data
RUN /opt/dealdesk/bin/pip install --no-cache-dir --quiet -c constraints.txt ".${EXTRAS:+[${EXTRAS}]}"

FROM ${BASE}
LABEL io.modelcontextprotocol.server.name="io.github.dealdesk-mcp/dealdesk" \
      org.opencontainers.image.title="dealdesk" \
      org.opencontainers.image.licenses="Apache-2.0"
RUN useradd --uid 10001 --user-group --no-create-home --home-dir /data --shell /usr/sbin/nologin dealdesk \
    && install -d -o dealdesk -g dealdesk -m 0700 /data
COPY --from=build /opt/dealdesk /opt/dealdesk
ENV PATH=/opt/dealdesk/bin:$PATH DEALDESK_HOME=/data
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
# over stdio nothing listens, and the client sees for itself whether the server lives
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s CMD ["python3", "-c", "import urllib.request; b'http' in open('/proc/1/cmdline', 'rb').read() and urllib.request.urlopen('http://127.0.0.1:8000/health', timeout=4)"]
ENTRYPOINT ["dealdesk"]
CMD ["serve", "all"]
