#!/bin/bash
# with-docker.sh COMMAND…: runs a command with a Docker engine. Where none answers,
# and this is root and dockerd is installed, it starts one of its own, in a folder of
# its own, and stops it afterwards. Where that does not work either it says why in
# AKIDB_NO_DOCKER, so that tests can skip with the reason.
set -uo pipefail
export TESTCONTAINERS_RYUK_DISABLED=true # its image could not be pulled everywhere
export TESTCONTAINERS_HOST_OVERRIDE=127.0.0.1
engine_answers() { docker version --format '{{.Server.Version}}' >/dev/null 2>&1; }

if engine_answers; then exec "$@"; fi
reason=""
if ! command -v docker >/dev/null; then reason="no docker command (Debian: apt-get install docker.io)"
elif ! command -v dockerd >/dev/null; then reason="no engine answers and dockerd is not installed (Debian: apt-get install docker.io)"
elif [ "$(id -u)" != 0 ]; then reason="no engine answers and only root can start one"
fi
if [ -n "$reason" ]; then
  echo "with-docker: $reason" >&2
  AKIDB_NO_DOCKER="$reason" exec "$@"
fi

dir=$(mktemp -d /tmp/akidb-docker.XXXXXX)
start() { # start FLAGS…: leaves the engine's pid in $pid
  setsid dockerd --host "unix://$dir/docker.sock" --data-root "$dir/data" --exec-root "$dir/exec" \
    --pidfile "$dir/dockerd.pid" "$@" >"$dir/log" 2>&1 </dev/null &
  pid=$!
  for _ in $(seq 150); do
    if engine_answers; then return 0; fi
    if ! kill -0 "$pid" 2>/dev/null; then return 1; fi
    sleep 0.2
  done
  return 1
}
stop() {
  if kill -TERM "$pid" 2>/dev/null; then
    for _ in $(seq 100); do kill -0 "$pid" 2>/dev/null || break; sleep 0.1; done
    kill -KILL "$pid" 2>/dev/null
  fi
  wait "$pid" 2>/dev/null
}
cleanup() {
  stop
  findmnt -rno TARGET | grep "^$dir/" | sort -r | xargs -r -n1 umount -l 2>/dev/null
  rm -rf "$dir"
}
export DOCKER_HOST="unix://$dir/docker.sock"
# Without netfilter containers still talk to each other and to this machine.
if ! start && { stop; ! start --iptables=false --ip6tables=false; } && { stop; ! start --iptables=false --storage-driver=vfs; }; then
  reason="dockerd does not start here: $(grep -E 'level=(error|fatal)|failed' "$dir/log" | tail -1)"
  echo "with-docker: $reason" >&2
  cleanup
  unset DOCKER_HOST
  AKIDB_NO_DOCKER="$reason" exec "$@"
fi
trap cleanup EXIT
trap 'exit 130' INT TERM
"$@"
