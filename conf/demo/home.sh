# The home of the demo, for run.sh: a directory, a certificate, a configuration.
# shellcheck shell=bash
# shellcheck disable=SC2034,SC2154 # variables of run.sh

make_home() {
    mkdir -p "$home" || die "cannot make $home"
    home=$(cd "$home" && pwd) || die "cannot enter $home"
    [ -w "$home" ] || die "$home belongs to somebody else; remove it first"
    exec 9>>"$home/lock" || die "cannot write below $home"
    flock -n 9 || die "another demo is running in $home"
    find "$home" -mindepth 1 ! -path "$home/lock" -delete || die "cannot empty $home"
    mkdir "$home/arrived"
}

# Queue and accounts stand beside the rest, unless the checkout is where the user of the roles cannot go, or
# its path is too long for a socket.
choose_state() {
    state=$home
    if [ "$(id -u)" = 0 ]; then
        setpriv --reuid=nobody --regid=nogroup --clear-groups test -x "$home" || state=
    fi
    [ ${#home} -lt 80 ] || state=
    [ -z "$state" ] || return 0
    elsewhere=$(mktemp -d /var/tmp/msad-demo.XXXXXX) || die "cannot make a directory in /var/tmp"
    chmod 755 "$elsewhere"
    state=$elsewhere
}

make_certificate() {
    openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 30 \
        -subj /CN=localhost -addext "subjectAltName=DNS:localhost,IP:$host" \
        -keyout "$home/demo.key" -out "$home/demo.crt" 2>"$home/openssl.log" ||
        die "openssl made no certificate:" "$home/openssl.log"
    rm "$home/openssl.log"
}

# The first free one of 2587, 3587, ...
free_port() {
    local port=$1
    while (: <"/dev/tcp/$host/$port") 2>/dev/null && [ "$port" -lt 64000 ]; do port=$((port + 1000)); done
    echo "$port"
}

write_config() {
    submission=$(free_port 2587) submissions=$(free_port 2465) pages=$(free_port 2443)
    cat >"$home/msad.conf" <<END
hostname    localhost;
state_dir   $state/state;
runtime_dir $state/run;
user        nobody;        # when started as root

listener submission  { address $host:$submission; }
listener submissions { address $host:$submissions;  mode submissions; }

tls { certificate { cert_file $home/demo.crt;  key_file $home/demo.key; } }

auth { default_domain demo.test; }

pool main {
    smarthost $host:$smarthost;
    tls       off;         # the demo's smarthost is on this machine
}

queue { retry 5s 10s 30s; }

console { https $host:$pages; }    # the pages and the API

include "rules.conf";      # the measures against abused accounts
include "score.conf";      # what the content of a message adds to its score
counters { size 16M; }
END
    cp conf/rules.conf conf/score.conf "$home/" || die "cannot copy conf/rules.conf and conf/score.conf"
}
