#!/bin/bash
# compose.sh ARGUMENTS…: docker compose, or docker-compose where the plugin is not there.
if docker compose version >/dev/null 2>&1; then exec docker compose "$@"; fi
exec docker-compose "$@"
