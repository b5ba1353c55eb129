# common.sh - what the tests of the program share; each begins with `. "${0%/*}/common.sh"`. The first argument is the program. Works in an
# empty folder that is removed at the end. Any failed check ends the test and says what was run and
# what came.
set -u
program=$1
work=$(mktemp -d) || exit 1
started=
finish() {
    for id in $started; do kill "$id" 2>/dev/null; done
    rm -rf "$work"
}
trap finish EXIT
cd "$work" || exit 1
unset DEEPER_MIRROR DEEPER_THREADS DEEPER_ISA DEEPER_TUNING XDG_CACHE_HOME http_proxy HTTP_PROXY all_proxy ALL_PROXY
export XDG_DATA_HOME="$work/data" HOME="$work/home" LC_ALL=C.UTF-8
ran=

fail() {
    echo "FAILED: $*" >&2
    echo "after: $ran" >&2
    echo "--- stdout" >&2
    head -c 2000 out >&2
    echo "--- stderr" >&2
    head -c 2000 err >&2
    exit 1
}

# run CODE WORDS...: runs the program; its exit code must be CODE. Leaves files out and err.
run() {
    want=$1
    shift
    ran="deeper $*"
    "$program" "$@" >out 2>err
    code=$?
    [ "$code" -eq "$want" ] || fail "exit code $code, not $want"
}

# says FILE TEXT...: FILE holds each TEXT. lacks: none of them. empty FILE: nothing.
says() {
    file=$1
    shift
    for text in "$@"; do grep -qF -e "$text" "$file" || fail "no '$text' in $file"; done
}
lacks() {
    file=$1
    shift
    for text in "$@"; do ! grep -qF -e "$text" "$file" || fail "'$text' in $file"; done
}
empty() {
    [ ! -s "$1" ] || fail "$1 is not empty"
}
lines() {
    [ "$(wc -l <"$1")" -eq "$2" ] || fail "$1 has not $2 lines"
}

# same EXPECTED ACTUAL
same() {
    [ "$1" = "$2" ] || fail "'$2' and not '$1'"
}

# get PLACE...: values of the JSON lines in out, which must be valid.
get() {
    "$HELPERS/cli_json_get" "$@" <out || fail "out is not JSON"
}

# picture FILE RED GREEN BLUE: a PPM picture of 8 x 6 pixels of one colour.
picture() {
    pixel=$(printf '\\%03o\\%03o\\%03o' "$2" "$3" "$4")
    {
        printf 'P6\n8 6\n255\n'
        for i in 1 2 3 4 5 6 7 8 9 10 11 12; do printf "$pixel$pixel$pixel$pixel"; done
    } >"$1"
}

# A network of GoogLeNet's form with a sixteenth of its width, five classes, small pictures.
small_model() {
    printf 'n01 red thing\nn02 green thing\nn03 blue thing\nn04 grey, dull thing\nn05 \355\225\234\352\270\200\n' >labels.txt
    "$HELPERS/cli_make_model" googlenet:width=0.0625 5 64 labels.txt deeper "$1" || fail "no small model"
}
: >out
: >err
