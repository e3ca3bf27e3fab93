#!/bin/sh
# C source with the files of a folder in it: embed.sh FOLDER SCRATCH > pages.c
# The bytes come in by the assembler's .incbin, plain and packed; the tag is a part of their SHA-256.
set -eu
folder=$1 scratch=$2
rm -rf "$scratch"
printf '#include "msa/console/pages.h"\n\n'
number=0 table=
for file in $(find "$folder" -type f | LC_ALL=C sort); do
    name=${file#"$folder"/}
    case $name in
    *[!a-z0-9._/-]* | *.tmp) echo "embed.sh: $name: a page has only a-z 0-9 . _ - / in its name" >&2; exit 1 ;;
    esac
    case $name in
    *.html) type='text/html; charset=utf-8' ;;
    *.css) type='text/css; charset=utf-8' ;;
    *.js) type='text/javascript; charset=utf-8' ;;
    *.json) type='application/json' ;;
    *.webmanifest) type='application/manifest+json' ;;
    *.svg) type='image/svg+xml' ;;
    *.png) type='image/png' ;;
    *.txt) type='text/plain; charset=utf-8' ;;
    *) echo "embed.sh: $name: no type is known for it" >&2; exit 1 ;;
    esac
    path=/${name%index.html}
    [ "$path" = "/$name" ] || case $path in */) ;; *) path=/$name ;; esac
    mkdir -p "$scratch/$(dirname "$name")"
    gzip -9nc "$file" > "$scratch/$name.gz"
    tag=$(sha256sum "$file" | cut -c1-24)
    for kind in plain packed; do
        bytes=$file
        [ $kind = plain ] || bytes=$scratch/$name.gz
        printf '__asm__(".section .rodata\\n.global page_%s_%s\\npage_%s_%s:\\n.incbin \\"%s\\"\\n"\n' \
            $kind $number $kind $number "$bytes"
        printf '        ".global page_%s_%s_end\\npage_%s_%s_end:\\n.byte 0\\n.previous\\n");\n' \
            $kind $number $kind $number
        printf 'extern const char page_%s_%s[], page_%s_%s_end[];\n' $kind $number $kind $number
    done
    table="$table    {\"$path\", \"$type\", \"\\\"$tag\\\"\", page_plain_$number, page_plain_${number}_end,
     page_packed_$number, page_packed_${number}_end},
"
    number=$((number + 1))
done
printf '\nconst struct page pages[] = {\n%s};\n' "$table"
printf 'const size_t page_count = sizeof pages / sizeof pages[0];\n'
