#!/bin/sh
# How well the shipped rules and the built-in classifier do on the sorted mail of ../shared: prints score_eval's table, and then one line
# "N passed, N failed, N skipped". Says so, and passes, where there is no such mail.
#
# usage: run-score.sh BUILD
set -u
mail=${MSAD_MAIL:-../shared/data/mail}
if [ ! -f "$mail/index.tsv" ]; then
    echo "SKIPPED: no sorted mail in $mail, the classifier was not measured"
    echo "0 passed, 0 failed, 1 skipped"
    exit 0
fi
work=$(mktemp -d) || exit 1
trap 'rm -rf "$work"' EXIT
python3 "$mail/as_submitted.py" "$mail" "$work/mail" || exit 1
mkdir "$work/odd" && cp "$mail"-odd/jpmobile-*.eml "$mail"-odd/sisimai-*.eml "$work/odd" || exit 1
python3 "$mail/as_submitted.py" "$work/odd" "$work/lawful" || exit 1
if "$1/tests/score_eval" conf/score.conf "$mail/index.tsv" "$work/mail" "$work/lawful"; then
    echo "1 passed, 0 failed"
else
    echo "0 passed, 1 failed"
    exit 1
fi
