# faults: every command is killed before, and failed at, its n-th system call on files (fault.c), and
# then gone on with. Exit 0 must mean that the result is there, to the bit, and that what was broken
# off ends in the same bits when it is gone on with.
#   sh tests/fault/faults.sh PROGRAM FAULT.so [all]     all: every n; else some of each command
library=$2
all=${3:-}
. "${0%/*}/../cli/common.sh"
export DEEPER_TUNING=none
some=3 # calls of a command that are tried without `all`, in each mode
runs=0

# The network, the pictures, a run that was broken off.
small_model m.safetensors
n=0
for class in n01 n02; do
    mkdir -p set/$class
    for i in 1 2 3 4; do
        n=$((n + 1))
        picture set/$class/$i.ppm $((n * 30)) $((250 - n * 20)) $((n * 11))
    done
done
trained="--data ../set --arch googlenet:norm=bn,width=0.0625 --size 64 --batch 4 --epochs 2 --threads 1 --quiet"
compared="googlenet:norm=bn,width=0.0625@64 --data ../set --epochs 1 --batch 4 --seconds 0 --threads 1 --quiet"
hash=sha256:$(sha256sum m.safetensors | cut -d ' ' -f 1)
mkdir half && cd half || exit 1
# shellcheck disable=SC2086
run 0 train $trained --out r
rm r/model.safetensors r/last.safetensors
ls r/checkpoints | sort | tail -n 1 | sed s,^,r/checkpoints/, | xargs rm # back after the first epoch
cd .. || exit 1
mkdir shards
for i in 1 2; do run 0 eval --model m.safetensors --data set --shard $i/2 --save-probs shards/$i --quiet; done

# digest FILES...: what they hold; "missing" where one is not there.
digest() {
    cat "$@" 2>/dev/null | sha256sum
    for file in "$@"; do [ -e "$file" ] || echo missing; done
}

# A fresh folder, and into it.
prepare() {
    rm -rf here
    mkdir here && cd here || exit 1
    [ "$name" != resume ] || cp -r ../half/r .
}

# Whether the program said that it did without a picture, and the result is that of the others.
skipped() {
    grep -q 'set/n0.*cannot ' err && ! echo "$now" | grep -q missing
}

# try NAME RESULTS COMMAND GO-ON: the command under every fault; GO-ON (a shell text, "" for none) must
# then end in the same results.
try() {
    name=$1 results=$2 command=$3 go_on=$4 bad=0 tried=0 zeros=0
    prepare
    FAULT_COUNT=../count LD_PRELOAD=$library sh -c "exec $command" >out 2>err || fail "$command"
    # shellcheck disable=SC2086
    golden=$(digest $results)
    cd ..
    count=$(cat count)
    step=1
    [ -n "$all" ] || step=$(((count + some - 1) / some))
    for mode in kill fail zero; do
        at=1
        while [ $at -le "$count" ]; do
            prepare
            FAULT=$mode:$at LD_PRELOAD=$library timeout 60 sh -c "exec $command" >out 2>err
            code=$?
            ran="$mode:$at $command"
            tried=$((tried + 1))
            # shellcheck disable=SC2086
            now=$(digest $results)
            [ $code -ne 124 ] || fail "hangs"
            if [ $code -eq 0 ]; then
                zeros=$((zeros + 1))
                [ "$now" = "$golden" ] || skipped || fail "exit 0 without the result"
            elif [ -n "$go_on" ]; then
                sh -c "$go_on" >out 2>err || fail "cannot be gone on with"
                # shellcheck disable=SC2086
                [ "$(digest $results)" = "$golden" ] || fail "other bits when gone on with"
            fi
            left=$(find . -name '*.tmp-*' -o -name '*.part' -o -name 'deeper-*')
            [ $code -eq 137 ] || [ -z "$left" ] || fail "left behind: $left"
            cd ..
            at=$((at + step))
        done
    done
    runs=$((runs + tried))
    echo "$name: $count calls, $tried runs, $zeros ended with 0 and their result"
}

deeper=$program
for format in safetensors onnx npz; do
    try convert-$format o.$format "'$deeper' convert ../m.safetensors o.$format --quiet" "'$deeper' convert ../m.safetensors o.$format"
done
try convert-caffemodel "o.caffemodel o.prototxt" "'$deeper' convert ../m.safetensors o.caffemodel" "'$deeper' convert ../m.safetensors o.caffemodel"
try classify out "'$deeper' classify --model ../m.safetensors --threads 1 --json ../set" ""
try features f.npz "'$deeper' features --model ../m.safetensors --out f.npz ../set" "'$deeper' features --model ../m.safetensors --out f.npz ../set"
evaluate="'$deeper' eval --model ../m.safetensors --data ../set --save-probs p --threads 1 --quiet"
try eval p "$evaluate" "$evaluate --resume"
try merge p "'$deeper' eval --merge p ../shards/1 ../shards/2" "'$deeper' eval --merge p ../shards/1 ../shards/2"
models="r/model.safetensors r/last.safetensors"
try train "$models" "'$deeper' train $trained --out r" "'$deeper' train --resume --out r --quiet || '$deeper' train $trained --out r"
try resume "$models" "'$deeper' train --resume --out r --quiet" "'$deeper' train --resume --out r --quiet"
compare="'$deeper' compare $compared --out k"
try compare "k/runs/*/model.safetensors" "$compare" "$compare --resume || $compare"
try pull o "'$deeper' pull bvlc_googlenet --from ../m.safetensors --hash $hash --out o --quiet" "'$deeper' pull bvlc_googlenet --from ../m.safetensors --hash $hash --out o"
echo "$runs runs, no exit 0 without its result"
