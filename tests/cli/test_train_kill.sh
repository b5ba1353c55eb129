# train, killed: kill -9 of the real program at ten random moments, each followed by --resume, ends in the bits of the unbroken run, on 1
# and on 2 threads; nothing of the dead stays. Two processes do not train in one folder. A disk that
# fills leaves the last checkpoint.
. "${0%/*}/common.sh"

mkdir -p set/red set/blue
for n in 1 2 3 4 5 6 7 8 9 10 11 12; do
    picture "set/red/$n.ppm" $((140 + 8 * n)) 40 $((10 * n))
    picture "set/blue/$n.ppm" $((10 * n)) 40 $((140 + 8 * n))
done
net="--arch googlenet:norm=bn,width=0.0625 --size 64 --batch 4 --epochs 24 --checkpoint-minutes 0.01"

# random MOST: a number below it.
random() {
    echo $(($(od -An -N2 -tu2 /dev/urandom) % $1))
}

begun=$(date +%s%N)
run 0 train --data set $net --threads 1 --out whole
took=$((($(date +%s%N) - begun) / 1000000))

# Moments spread over twice the time of the unbroken run, so that some fall into the writing of
# files, some into the beginning.
for threads in 1 2; do
    kills=0
    moments=
    while [ "$kills" -lt 10 ]; do
        moment=$(random $((took / 5 + 50)))
        moments="$moments $moment"
        if [ -e "killed/run.json" ]; then set -- --resume; else set -- --data set $net && rm -rf killed; fi
        ran="train on $threads threads, killed after$moments ms"
        "$program" train "$@" --threads "$threads" --out killed >out 2>err &
        started=$!
        sleep "$((moment / 1000)).$(printf %03d $((moment % 1000)))"
        kill -KILL "$started" 2>/dev/null
        wait "$started" 2>/dev/null
        code=$?
        started=
        [ "$code" -ne 0 ] || break
        [ "$code" -eq 137 ] || fail "exit code $code"
        kills=$((kills + 1))
    done
    run 0 train --resume --threads "$threads" --out killed
    ran="train on $threads threads, killed after$moments ms"
    for model in model last; do
        cmp "whole/$model.safetensors" "killed/$model.safetensors" || fail "other bits in $model.safetensors"
    done
    [ -z "$(find killed -name '*.tmp-*')" ] || fail "left over: $(find killed -name '*.tmp-*')"
    rm -rf killed
done

# ------------------------------------------------------------------------------------------------------------
# two processes
"$program" train --data set $net --epochs 10000 --out shared-run >out 2>err &
started=$!
for i in $(seq 100); do
    [ -n "$(ls shared-run/checkpoints 2>/dev/null)" ] && break
    sleep 0.1
done
run 1 train --resume --out shared-run --quiet
same "deeper: shared-run: another process trains there; stop it, or wait for its end" "$(cat err)"
kill -KILL "$started"
wait "$started" 2>/dev/null
started=

# --------------------------------------------------------------------------------------------------------------
# a full disk A file system takes the first checkpoints; then something else takes all that is left.
# Needs root.
mkdir disk
if [ "$(id -u)" -eq 0 ] && mount -t tmpfs -o size=24m tmpfs disk 2>/dev/null; then
    finish() {
        for id in $started; do kill "$id" 2>/dev/null; done
        umount -l "$work/disk"
        rm -rf "$work"
    }
    "$program" train --data set $net --threads 1 --out disk/run >out 2>err &
    started=$!
    for i in $(seq 200); do
        [ -e disk/run/model.safetensors ] && [ -n "$(ls disk/run/checkpoints)" ] && break
        sleep 0.02
    done
    head -c 24000000 /dev/zero >disk/other 2>/dev/null
    wait "$started"
    code=$?
    started=
    ran="train, then a full disk"
    [ "$code" -eq 1 ] || fail "exit code $code"
    says err "disk/run/" "No space left on device"
    [ -z "$(find disk/run -name '*.tmp-*')" ] || fail "something is half-written"
    rm disk/other
    run 0 train --resume --out disk/run
    lacks err damaged
    cmp whole/last.safetensors disk/run/last.safetensors || fail "other bits after a full disk"
else
    echo "skipped: a full disk, for which a small tmpfs must be mounted"
fi
exit 0
