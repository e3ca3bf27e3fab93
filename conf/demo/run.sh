#!/bin/bash
# usage: run.sh           (make run calls it, when everything is built)
# Serves a demo in the foreground until Ctrl-C: a smarthost that takes everything, msad in front of it with a
# self-signed certificate and two accounts, and one message sent through both. All of it listens on 127.0.0.1.
#
# Environment: MSAD_BUILD, where the programs are (build); MSAD_DEMO_DIR, the home of the demo, emptied at
# each start (demo); MSAD_DEMO_ONCE=1: end behind the first message.
# shellcheck disable=SC2317 # what a trap calls is called
set -u

cd "$(dirname "$0")/../.." || exit 1
umask 022 # as root, the roles run as nobody and must reach their directories
build=${MSAD_BUILD:-build}
home=${MSAD_DEMO_DIR:-demo}
host=127.0.0.1
. conf/demo/home.sh
elsewhere="" smarthost_pid="" msad_pid="" tail_pid=""

if [ -t 1 ]; then bold=$'\e[1m' plain=$'\e[0m'; else bold='' plain=''; fi
# shellcheck disable=SC2059 # the first argument is the format
say() { printf "$1\n" "${@:2}"; }
title() { say "\n$bold%s$plain" "$1"; }
die() {
    say "\nThe demo cannot go on: %s" "$1" >&2
    [ ! -s "${2:-}" ] || tail -n 20 "$2" >&2
    exit 1
}

# ---- the end: msad first, so that it can still hand over what it has taken ----------------------------

end_process() {
    [ -n "$1" ] || return 0
    kill "$1" 2>/dev/null
    wait "$1" 2>/dev/null
}
finish() {
    trap '' INT TERM HUP
    end_process "$msad_pid"
    end_process "$smarthost_pid"
    end_process "$tail_pid"
    [ -z "$elsewhere" ] || rm -rf "$elsewhere"
}
trap finish EXIT
trap 'say "\nStopped."; exit 0' INT TERM HUP

# ---- programs ---------------------------------------------------------------------------------------------

# Waits for a line in a log, as long as the program that writes it is alive.
wait_for() { # PATTERN LOG PID
    for _ in {1..600}; do
        grep -qs "$1" "$2" && return 0
        kill -0 "$3" 2>/dev/null || return 1
        sleep 0.05
    done
    return 1
}

# In sessions of their own: Ctrl-C is for this script, which ends them in order.
start_smarthost() {
    setsid "$build/tests/sink" --demo --store "$home/arrived" --listen "$host:0" \
        >"$home/smarthost.log" 2>&1 </dev/null &
    smarthost_pid=$!
    wait_for ^listening "$home/smarthost.log" "$smarthost_pid" || die "no smarthost:" "$home/smarthost.log"
    smarthost=$(sed -n 's/^listening .*:\([0-9]*\)$/\1/p' "$home/smarthost.log")
}

start_msad() {
    setsid "$build/msad" -f "$home/msad.conf" >"$home/msad.log" 2>&1 </dev/null &
    msad_pid=$!
    wait_for ' serving ' "$home/msad.log" "$msad_pid" || die "msad does not serve:" "$home/msad.log"
}

msactl() { "$build/msactl" -f "$home/msad.conf" "$@"; }

new_password() { openssl rand -base64 12 | tr +/ xy; }

add_account() { # LOGIN PASSWORD
    msactl account add "$1" --stdin <<<"$2" >"$home/msactl.log" 2>&1 ||
        die "msactl added no account:" "$home/msactl.log"
    rm "$home/msactl.log"
    say '  %-16s password  %s' "$1" "$2"
}

# ---- the first message --------------------------------------------------------------------------------

send_message() { # the password stays out of the list of processes
    cat >"$home/first.eml" <<END
From: Taro <taro@demo.test>
To: Friend <friend@example.com>
Subject: The first message

It came in over STARTTLS and AUTH; now it is at the smarthost.
END
    curl --silent --show-error --config - --ssl-reqd --cacert "$home/demo.crt" --crlf \
        --mail-from taro@demo.test --mail-rcpt friend@example.com --upload-file "$home/first.eml" \
        "smtp://$host:$submission/demo.test" <<<"user = \"taro@demo.test:$taro\"" >"$home/curl.log" 2>&1 ||
        die "curl could not submit the message:" "$home/curl.log"
    rm "$home/curl.log"
}

show_arrival() {
    local arrived=("$home"/arrived/*.eml)
    [ -s "${arrived[0]}" ] || die "the smarthost has got nothing:" "$home/msad.log"
    say '  curl got 250, which means: the smarthost has it, as\n  %s\n' "${arrived[0]}"
    sed 's/\r$//; s/^/  | /' "${arrived[0]}"
}

show_what_next() {
    title "What to try next, in another terminal"
    cat <<END

  cd $PWD

  Send a message (apt install swaks), or talk TLS by hand:

    swaks --server $host:$submission -tls --auth-user hana@demo.test --auth-password '$hana' \\
          --from hana@demo.test --to friend@example.com
    curl --ssl-reqd --cacert $home/demo.crt smtps://$host:$submissions --user 'taro@demo.test:$taro' \\
         --mail-from taro@demo.test --mail-rcpt friend@example.com --crlf \\
         --upload-file $home/first.eml
    openssl s_client -crlf -quiet -CAfile $home/demo.crt -connect $host:$submissions

  Open https://localhost:$pages/ (the browser will not know the certificate), as taro@demo.test with the
  password above: the customer's page. The desk and the operator sign in there, too, with a token:

    $build/msactl -f $home/msad.conf token add --role operator --note 'trying it out'

  Look inside:

    $build/msactl -f $home/msad.conf status
    $build/msactl -f $home/msad.conf account list
    $build/msactl -f $home/msad.conf score check $home/first.eml
    $build/msactl -f $home/msad.conf events      # what happens as it happens, until Ctrl-C
    tail -f $home/msad.log

  Take the smarthost away, send again, see the message wait; bring it back, and it goes:

    kill $smarthost_pid
    $build/msactl -f $home/msad.conf queue list
    $build/tests/sink --demo --listen $host:$smarthost

  Stop an account; its next command is answered 421, its sign-in 535 (release it by the id that it says):

    $build/msactl -f $home/msad.conf account suspend hana@demo.test --note 'trying it out'
    $build/msactl -f $home/msad.conf restriction list

  Change $home/msad.conf, then (a mistake changes nothing, and is explained):

    $build/msactl -f $home/msad.conf reload

END
}

make_home
choose_state
make_certificate
start_smarthost
write_config
start_msad
title "msad serves"
say '  %-16s %s:%-6s STARTTLS' submission "$host" "$submission"
say '  %-16s %s:%-6s TLS from the first byte' submissions "$host" "$submissions"
say '  %-16s https://localhost:%s/' pages "$pages"
say '  %-16s %s:%-6s takes everything, sends nothing on' smarthost "$host" "$smarthost"
title "Accounts"
taro=$(new_password) hana=$(new_password)
add_account taro@demo.test "$taro"
add_account hana@demo.test "$hana"
title "The first message"
send_message
show_arrival
[ "${MSAD_DEMO_ONCE:-}" != 1 ] || exit 0
show_what_next
say '%s' "${bold}Serving until Ctrl-C.$plain What arrives at the smarthost:"
tail -n 0 -f "$home/smarthost.log" > >(sed -un 's/^smarthost: /  /p') &
tail_pid=$!
wait "$msad_pid"
msad_pid=
die "msad has ended:" "$home/msad.log"
