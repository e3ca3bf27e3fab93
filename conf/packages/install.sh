#!/bin/sh
# usage: install.sh LIST…
# Installs the Debian packages named in the lists that are not there yet; says nothing when none is missing.
# Services that come with a package are not started.
set -eu

missing=
# shellcheck disable=SC2013 # words are wanted
for package in $(sed 's/#.*//' "$@" | awk 'NF { print $1 }' | sort -u); do
    case $(dpkg-query -W -f '${Status}' "$package" 2>/dev/null) in
    "install ok installed") ;;
    *) missing="$missing $package" ;;
    esac
done
[ -n "$missing" ] || exit 0

as_root=
if [ "$(id -u)" != 0 ]; then
    command -v sudo >/dev/null || {
        echo "install.sh: missing$missing; be root or have sudo to install them" >&2
        exit 1
    }
    as_root=sudo
fi

log=$(mktemp)
guard=/usr/sbin/policy-rc.d # asked by every package before it starts a service
guard_is_ours=
cleanup() {
    [ -z "$guard_is_ours" ] || $as_root rm -f "$guard"
    rm -f "$log"
}
trap cleanup EXIT
trap 'exit 1' HUP INT TERM

quietly() {
    "$@" >"$log" 2>&1 </dev/null
}
apt() {
    $as_root env DEBIAN_FRONTEND=noninteractive DEBIAN_PRIORITY=critical \
        apt-get -q -o DPkg::Lock::Timeout=300 -o Dpkg::Use-Pty=0 "$@"
}
install_missing() {
    # shellcheck disable=SC2086
    apt install -y --no-install-recommends $missing
}
knows_all() {
    for package in $missing; do
        [ -n "$(apt-cache madison "$package" 2>/dev/null)" ] || return 1
    done
}

if [ ! -e "$guard" ]; then
    printf '#!/bin/sh\nexit 101\n' | $as_root tee "$guard" >/dev/null
    guard_is_ours=1
    $as_root chmod 755 "$guard"
fi

echo "installing:$missing"
case "$missing " in
*" postfix "*) # should somebody start it one day, it is not to listen to the network
    if command -v debconf-set-selections >/dev/null; then
        echo "postfix postfix/main_mailer_type select Local only" |
            quietly $as_root debconf-set-selections || true
    fi
    ;;
esac

knows_all || quietly apt update || { cat "$log" >&2; exit 1; }
# Lists that are older than the mirror name files that are gone: refresh them once.
quietly install_missing || { quietly apt update && quietly install_missing; } || {
    cat "$log" >&2
    exit 1
}
