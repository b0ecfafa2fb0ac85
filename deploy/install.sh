#!/bin/sh
# Installs swarmd on a Debian or Ubuntu host from this checkout: packages that are absent, /opt/swarmd, two commands, a systemd unit.
# Safe to repeat; an upgrade keeps /var/lib/swarm and leaves containers running.
set -eu

say() { printf '%s\n' "$*"; }
fail() { say "install: $*" >&2; exit 1; }

[ "$(id -u)" = 0 ] || fail "needs root: sudo deploy/install.sh"
command -v node >/dev/null 2>&1 || fail "Node 20 or newer is missing; install it first (package nodejs, or your own)"
node -e 'process.exit(Number(process.versions.node.split(".")[0]) >= 20 ? 0 : 1)' || fail "Node $(node --version) is too old: 20 or newer"
command -v npm >/dev/null 2>&1 || fail "npm is missing; install it with Node"

source_dir=$(cd "$(dirname "$0")/.." && pwd)
target=/opt/swarmd

missing=""
for pair in containerd:containerd runc:runc crun:crun nft:nftables ip:iproute2 conntrack:conntrack; do
  PATH="$PATH:/usr/sbin:/sbin" command -v "${pair%%:*}" >/dev/null 2>&1 || missing="$missing ${pair##*:}"
done
if [ -n "$missing" ]; then
  command -v apt-get >/dev/null 2>&1 || fail "missing:$missing; install them with this system's package manager"
  say "installing$missing"
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --no-upgrade --no-install-recommends $missing >/dev/null ||
    fail "apt-get could not install$missing (Docker's containerd.io conflicts with Debian's containerd: either one will do)"
fi

# Encrypted networks: swarmd works without, and says what is missing where one is used.
optional=""
command -v wg >/dev/null 2>&1 || optional="wireguard-tools"
if ip link add dev swwgprobe type wireguard 2>/dev/null; then
  ip link delete dev swwgprobe
else
  command -v wireguard-go >/dev/null 2>&1 || optional="$optional wireguard-go"
fi
if [ -n "$optional" ]; then
  say "installing $optional"
  # shellcheck disable=SC2086
  DEBIAN_FRONTEND=noninteractive apt-get install -y --no-remove --no-upgrade --no-install-recommends $optional >/dev/null 2>&1 ||
    say "could not install $optional: networks with --opt encrypted will not work on this host"
fi

say "building in $source_dir"
(cd "$source_dir" && npm ci --no-audit --no-fund --ignore-scripts >/dev/null && npm run -s build)

say "installing to $target"
mkdir -p "$target.new"
cp -R "$source_dir/dist" "$source_dir/package.json" "$source_dir/package-lock.json" "$source_dir/README.md" "$source_dir/LICENSE" "$target.new/"
mkdir -p "$target.new/src/raft"
cp -R "$source_dir/src/raft/dist" "$source_dir/src/raft/package.json" "$target.new/src/raft/"
(cd "$target.new" && npm ci --omit=dev --no-audit --no-fund --ignore-scripts >/dev/null)
rm -rf "$target.old"
[ ! -e "$target" ] || mv "$target" "$target.old"
mv "$target.new" "$target"
rm -rf "$target.old"

mkdir -p /usr/local/bin
ln -sf "$target/dist/cli/main.js" /usr/local/bin/swarm
ln -sf "$target/dist/node/main.js" /usr/local/bin/swarmd

if [ -d /run/systemd/system ]; then
  install -m 0644 "$source_dir/deploy/systemd/swarmd.service" /etc/systemd/system/swarmd.service
  systemctl daemon-reload
  systemctl enable --now containerd.service swarmd.service
  say "swarmd runs (systemctl status swarmd); next: swarm init --advertise-addr IP"
else
  say "no systemd here: start swarmd yourself, then: swarm init --advertise-addr IP"
fi
