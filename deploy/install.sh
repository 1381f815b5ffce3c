#!/bin/bash
# Installs golem as services of this machine, or brings an installation up to date. May be run any number of times.
#
#   deploy/install.sh [options]
#
#   --workers N     worker processes on this machine (default 1; 0 for a machine without instruments)
#   --webs N        web processes on this machine (default 2, so that one answers while the other restarts; 0 for none)
#   --no-scheduler  no scheduler here; of several in a laboratory one leads, the others stand by
#   --no-archiver   no archiver here; of several in a laboratory one writes, the others stand by
#   --no-redis      do not run golem's own Redis here; put REDIS_URL into /etc/golem/golem.env
#   --no-apt        install no Debian packages
#   --no-start      install and enable, but start nothing
#   --uninstall     remove services, program, polkit and udev rules; data in /var/lib/golem and settings in /etc/golem stay
#   --help
#
# What it makes: user golem (in dialout), group golem-operators, /opt/golem (a copy of this tree), /etc/golem/site.yaml
# and golem.env (never overwritten), the units in /etc/systemd/system, the polkit rule, the udev rule for USB instruments.
set -euo pipefail

source=$(dirname "$(dirname "$(readlink -f "$0")")")
target=/opt/golem
units=/etc/systemd/system
rules=/etc/polkit-1/rules.d/49-golem.rules
udev=/etc/udev/rules.d/60-golem.rules
workers=1 webs=2 scheduler=yes archiver=yes redis=yes apt=yes start=yes uninstall=

die() {
  echo "install.sh: $*" >&2
  exit 1
}
say() { echo "- $*"; }
number() { [[ $2 =~ ^[0-9]$ ]] || die "$1 takes a number from 0 to 9, not \"$2\""; }

while [ $# -gt 0 ]; do
  case $1 in
    --workers) number "$1" "${2-}"; workers=$2; shift ;;
    --webs) number "$1" "${2-}"; webs=$2; shift ;;
    --no-scheduler) scheduler= ;;
    --no-archiver) archiver= ;;
    --no-redis) redis= ;;
    --no-apt) apt= ;;
    --no-start) start= ;;
    --uninstall) uninstall=yes ;;
    --help | -h) sed -n '2,/^set -euo/{/^set -euo/d;s/^# \{0,1\}//;p}' "$0"; exit 0 ;;
    *) die "unknown option $1 (see --help)" ;;
  esac
  shift
done
[ "$(id -u)" = 0 ] || die 'this changes the system: run it as root (sudo deploy/install.sh)'
command -v systemctl >/dev/null || die 'there is no systemd on this machine'

# Units of golem that are enabled, one a line.
enabled_units() {
  find "$units/golem.target.wants" -name 'golem-*' -printf '%f\n' 2>/dev/null || true
}

if [ "$uninstall" ]; then
  mapfile -t known < <(enabled_units)
  systemctl stop golem.target "${known[@]}" 2>/dev/null || true
  systemctl disable --quiet golem.target "${known[@]}" 2>/dev/null || true
  rm -f "$units"/golem.target "$units"/golem-web.socket "$units"/golem-{web,worker}@.service "$units"/golem-{redis,scheduler,archiver}.service
  rm -f "$rules" "$udev"
  systemctl daemon-reload
  say 'stopped and removed the services, the polkit rule and the udev rule'
  if [ "$source" != "$target" ]; then
    rm -rf --one-file-system "$target"
    say "removed $target"
  fi
  say 'kept /etc/golem, /var/lib/golem, the user golem and the group golem-operators; remove them by hand if nobody needs them'
  exit 0
fi

# 1. What has to be there.
if [ "$redis" ] && [ "$apt" ] && ! command -v redis-server valkey-server redis-check-rdb valkey-check-rdb >/dev/null; then
  apt-get -qq update
  apt-get -qq install --no-install-recommends redis-tools >/dev/null
  say 'installed redis-tools (its server is used; no service on the usual port)'
fi
if [ "$workers" -gt 0 ] && [ ! -x /usr/bin/python3 ]; then
  if [ "$apt" ]; then
    apt-get -qq update
    apt-get -qq install --no-install-recommends python3-minimal >/dev/null
    say 'installed python3-minimal, which opens USB instruments'
  else
    say 'there is no /usr/bin/python3: USB instruments (usbtmc:, hid:) will not work (apt-get install python3-minimal)'
  fi
fi
# The services look for node where systemd looks: a Node of one user's own (nvm) is not found there.
service_path=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin
node=$(PATH=$service_path command -v node) || die 'node is not in /usr/local/bin or /usr/bin: install Node 20.19 or newer there'
"$node" -e 'const [a, b] = process.versions.node.split(".").map(Number); process.exit(a > 20 || (a === 20 && b >= 19) ? 0 : 1)' ||
  die "$node is $("$node" --version): golem needs 20.19 or newer"
if [ ! -f "$source/apps/worker/dist/main.js" ] || [ ! -f "$source/apps/web/dist/main.js" ]; then
  say 'building'
  (cd "$source" && npm ci --include=dev --no-audit --no-fund --loglevel=error && npm run build --silent)
fi

# 2. Users and groups.
if ! getent passwd golem >/dev/null; then
  useradd --system --user-group --home-dir /var/lib/golem --no-create-home --shell /usr/sbin/nologin golem
  say 'made the user golem'
fi
if getent group dialout >/dev/null; then usermod --append --groups dialout golem; fi
if ! getent group golem-operators >/dev/null; then
  groupadd --system golem-operators
  say 'made the group golem-operators'
fi

# 3. The program: a copy, so that the services do not depend on somebody's home folder. Put in place in one step.
if [ "$source" != "$target" ]; then
  rm -rf --one-file-system "$target.new" "$target.old"
  mkdir -p "$target.new"
  tar -C "$source" --exclude=./.git --exclude=./node_modules/.cache --exclude=./instance/run --exclude=./instance/redis \
    --exclude=./instance/journal --exclude=./instance/secrets --exclude=./instance/.env -cf - . | tar -C "$target.new" -xf -
  chown -R root:root "$target.new"
  chmod -R go-w,a+rX "$target.new"
  if [ -e "$target" ]; then mv -T "$target" "$target.old"; fi
  mv -T "$target.new" "$target"
  rm -rf --one-file-system "$target.old"
  say "copied the program to $target"
fi

# 4. Settings: made once, then the laboratory's own.
install -d -m 750 -o root -g golem /etc/golem
if [ ! -e /etc/golem/site.yaml ]; then
  example=$target/instance/site.yaml
  [ -e "$example" ] || example=$target/instance/demo.yaml
  if [ -e "$example" ]; then
    install -m 640 -o root -g golem "$example" /etc/golem/site.yaml
    say "put ${example#"$target"/} to /etc/golem/site.yaml: write your instruments into it"
  else
    say 'there is no /etc/golem/site.yaml yet: write one before you start golem'
  fi
fi
if [ ! -e /etc/golem/golem.env ]; then
  {
    echo '# Environment of golem'"'"'s services. Readable by root and golem only: the place for passwords.'
    if [ "$redis" ]; then echo 'REDIS_URL=unix:///run/golem-redis/redis.sock'; else echo '#REDIS_URL=rediss://:PASSWORD@server:6379'; fi
  } >/etc/golem/golem.env
  chown root:golem /etc/golem/golem.env
  chmod 640 /etc/golem/golem.env
  say 'wrote /etc/golem/golem.env'
fi

# 5. Services and the operators' right to start and stop them.
for file in "$target"/deploy/systemd/*; do install -m 644 "$file" "$units/${file##*/}"; done
if [ -d /etc/polkit-1/rules.d ]; then
  install -m 644 "$target/deploy/polkit/49-golem.rules" "$rules"
else
  say 'no polkit here: only root can start and stop the services (apt-get install polkitd, then run this again)'
fi
if [ -d /etc/udev/rules.d ]; then
  install -m 644 "$target/deploy/udev/60-golem.rules" "$udev"
  # What is plugged in already gets its group too.
  if command -v udevadm >/dev/null && udevadm control --reload 2>/dev/null; then
    udevadm trigger --action=change --subsystem-match=usbmisc --subsystem-match=hidraw
  fi
fi
systemctl daemon-reload
wanted=()
if [ "$redis" ]; then wanted+=(golem-redis.service); fi
if [ "$webs" -gt 0 ]; then wanted+=(golem-web.socket); fi
for ((i = 1; i <= webs; i++)); do wanted+=("golem-web@$i.service"); done
for ((i = 1; i <= workers; i++)); do wanted+=("golem-worker@$i.service"); done
if [ "$scheduler" ]; then wanted+=(golem-scheduler.service); fi
if [ "$archiver" ]; then wanted+=(golem-archiver.service); fi
mapfile -t before < <(enabled_units)
for unit in "${before[@]}"; do
  if [[ " ${wanted[*]} " != *" $unit "* ]]; then
    systemctl disable --quiet --now "$unit"
    say "stopped and disabled $unit, which is not wanted any more"
  fi
done
systemctl enable --quiet golem.target "${wanted[@]}"
say "enabled ${wanted[*]}"

# 6. Start; what runs already is restarted one by one, so that the page stays.
if [ "$start" ]; then
  if [ ! -e /etc/golem/site.yaml ]; then die 'nothing was started: /etc/golem/site.yaml is missing'; fi
  running=()
  for unit in "${wanted[@]}"; do
    # Redis and the socket are kept: their restart would be felt everywhere, and they do not change with the program.
    case $unit in golem-redis.service | golem-web.socket) continue ;; esac
    if systemctl --quiet is-active "$unit"; then running+=("$unit"); fi
  done
  for unit in "${running[@]}"; do systemctl restart "$unit"; done
  systemctl start golem.target "${wanted[@]}"
  say 'running'
fi

echo
echo 'Next:'
echo '  usermod --append --groups golem-operators NAME    lets NAME start and stop golem without being root'
echo '  systemctl status golem.target "golem-*"           how it is'
echo "  journalctl -u 'golem-*' -f                        what it says"
if [ "$webs" -gt 0 ]; then echo '  http://127.0.0.1:8000                             the page; for other addresses see deploy/README.md'; fi
