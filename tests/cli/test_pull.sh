# pull, from a server on the loopback that behaves and misbehaves: whole, resumed, changed, cut off, moved, missing, wrong.
. "${0%/*}/common.sh"
run 0 pull --list --json
same "bvlc_googlenet	false" "$(get name pulled | head -n 1)"
run 2 pull
run 2 pull nosuch
"$program" pull bvlc_googlenet --from /nonexistent >out 2>err
grep -q "no libcurl" err && { echo "skipped: built without libcurl or libcrypto"; exit 77; }

# 300,000 bytes that do not repeat in step with anything.
i=0
while [ $i -lt 3000 ]; do
    printf '%099d\n' $((i * i))
    i=$((i + 1))
done >file
hash=sha256:$(sha256sum file | cut -d ' ' -f 1)
"$HELPERS/cli_http_server" file port log &
started=$!
tries=0
until [ -s port ]; do
    tries=$((tries + 1))
    [ $tries -lt 100 ] || fail "the server does not start"
    sleep 0.1
done
at=http://127.0.0.1:$(cat port)
stored=$XDG_DATA_HOME/deeper/bvlc_googlenet.caffemodel
pull() {
    code=$1
    shift
    run "$code" pull bvlc_googlenet --json "$@"
}
whole() {
    cmp -s file "$stored" || fail "the file is not what the server has"
    [ ! -e "$stored.part" ] && [ ! -e "$stored.part.tag" ] || fail "remains of the transfer"
}
gone() {
    rm -rf "$XDG_DATA_HOME"
    : >log
}

pull 0 --from $at/plain/x --hash $hash
whole
same "bvlc_googlenet	$stored	300000	$hash	false	0" "$(get name path bytes hash already_there resumed_at)"
: >log
pull 0 --from $at/plain/x --hash $hash
same "true" "$(get already_there)"
empty log
run 0 pull --list --json
same "true" "$(get pulled | head -n 1)"

# A transfer that breaks is kept, and gone on with.
gone
pull 1 --from $at/cut/x --hash $hash
lines err 1
says err "kept"
same 150000 "$(wc -c <"$stored.part")"
[ ! -e "$stored" ] || fail "half a file in place"
pull 0 --from $at/plain/x --hash $hash
whole
same 150000 "$(get resumed_at)"
says log "/plain/x first=150000"

# The file changed in between, the server ignores ranges or knows no tags: the whole comes again, or
# the rest fits.
for kind in changed norange untagged; do
    gone
    pull 1 --from $at/cut/x --hash $hash
    pull 0 --from $at/$kind/x --hash $hash
    whole
done
# A server that sends another part than asked for is not believed.
gone
mkdir -p "$XDG_DATA_HOME/deeper"
head -c 1000 file >"$stored.part"
pull 1 --from $at/shifted/x --hash $hash
lines err 1
same 1000 "$(wc -c <"$stored.part")"
# A part that is not of this file: found out by the hash, removed, and the next try is whole.
head -c 1000 /dev/zero >"$stored.part"
pull 1 --from $at/untagged/x --hash $hash
says err "$hash" "removed"
[ ! -e "$stored.part" ] || fail "a wrong part was kept"
pull 0 --from $at/untagged/x --hash $hash
whole
# A part that is longer than the file; a part that is the whole file.
gone
mkdir -p "$XDG_DATA_HOME/deeper"
cat file file >"$stored.part"
pull 0 --from $at/plain/x --hash $hash
whole
gone
mkdir -p "$XDG_DATA_HOME/deeper"
cp file "$stored.part"
pull 0 --from $at/plain/x --hash $hash
whole
empty log

# Wrong contents: both hashes are said, nothing stays, an older file is untouched.
gone
wrong=sha1:0000000000000000000000000000000000000000
pull 1 --from $at/plain/x --hash $wrong
lines err 1
says err "$wrong" "$(sha1sum file | cut -d ' ' -f 1)"
lacks err --hash
same "" "$(ls -A "$XDG_DATA_HOME/deeper")"
pull 1 --from $at/plain/x # the published hash
says err 405fc5acd08a3bb12de8ee5e23a96bec22f08204
same "" "$(ls -A "$XDG_DATA_HOME/deeper")"

# Answers that are no file.
pull 1 --from $at/nowhere/x --hash $hash
says err 404
pull 1 --from $at/broken/x --hash $hash
says err 500
pull 1 --from $at/circle/x --hash $hash
lines err 1
pull 1 --from ftp://127.0.0.1/x --hash $hash
says err "only http, https and file"
pull 1 --from http://127.0.0.1:1/x --hash $hash
lines err 1
same "" "$(ls -A "$XDG_DATA_HOME/deeper")"

# Redirections, bodies without a length, mirrors, files, another place.
pull 0 --from $at/moved/x --hash $hash
whole
gone
pull 0 --from $at/chunkless/x --hash $hash
whole
gone
DEEPER_MIRROR=$at/plain pull 0 --hash $hash
whole
says log "/plain/bvlc_googlenet.caffemodel first=0"
gone
cp file bvlc_googlenet.caffemodel
DEEPER_MIRROR=. pull 0 --hash $hash
whole
gone
pull 0 --from "file://$work/file" --hash $hash
whole
gone
cp file "한 글"
pull 0 --from "file://$work/%ED%95%9C%20%EA%B8%80" --hash $hash
whole
pull 0 --from file --hash $hash --out here/and/there.bin
cmp -s file here/and/there.bin || fail "--out"
run 2 pull bvlc_googlenet --from file --hash "$(echo "$hash" | cut -c 1-15)" # the first 32 bits
says err "64"
# What the transfer writes and removes is no source for it.
cp file mine.part
for name in mine.part ./mine.part "file://$work/mine.part"; do
    pull 1 --from "$name" --hash $hash --out mine
    says err "name another --out"
    cmp -s file mine.part || fail "the source is gone"
done
cp file mine.part.tag
pull 1 --from mine.part.tag --hash $hash --out mine
cmp -s file mine.part.tag || fail "the source is gone"
rm mine.part mine.part.tag
mkfifo mine.part
pull 1 --from file --hash $hash --out mine
says err "mine.part: is not an ordinary file"
pull 1 --from nosuchfile --hash $hash --out nothing.bin
lines err 1
[ ! -e nothing.bin ] && [ ! -e nothing.bin.part ] || fail "something was written"
run 2 pull bvlc_googlnet
says err "did you mean 'bvlc_googlenet'?"
run 2 pull bvlc_googlenet --from file --hash md5:00112233
run 2 pull bvlc_googlenet --from file --hash sha1:xyz

# A disk that takes no more.
ran="pull with a full disk"
(trap '' XFSZ && ulimit -f 100 && exec "$program" pull bvlc_googlenet --from $at/plain/x --hash $hash --out full.bin) >out 2>err
same 1 $?
lines err 1
[ ! -e full.bin ] || fail "half a file in place"

# Every published file is checked by a whole hash.
run 0 pull --list --json
get hash | grep -vE '^sha1:[0-9a-f]{40}$|^sha256:[0-9a-f]{64}$' && fail "a short hash"
# No way to any of its addresses: each is named.
ran="pull without a way out"
http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1 "$program" pull bvlc_googlenet --out away >out 2>err
same 1 $?
lines err 2
says err dl.caffe.berkeleyvision.org storage.openvinotoolkit.org
# No way to the server: what to do without a network.
pull 1 --from http://127.0.0.1:1/x
lines err 1
says err "a copy from elsewhere is taken with --from FILE"
exit 0
