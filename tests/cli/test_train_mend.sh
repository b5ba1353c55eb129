# train --resume over a run whose folder was damaged: what can be had again is, to the bit; what is
# lost is said, and nothing that is not there is named with exit code 0.
. "${0%/*}/common.sh"
n=0
for class in n01 n02; do
    mkdir -p set/$class
    for i in 1 2 3 4 5; do
        n=$((n + 1))
        picture set/$class/$i.ppm $((n * 25)) $((250 - n * 20)) $((n * 11))
    done
done
run 0 train --data set --arch googlenet:norm=bn,width=0.0625 --size 64 --batch 4 --epochs 3 --threads 1 --quiet --out whole
[ -e whole/checkpoints/run.json ] || fail "no copy of run.json"
mv set moved
newest=$(ls whole/checkpoints/step-* | tail -n 1)
newest=${newest##*/}
fresh() { # a copy of the run, before its last epoch if asked for
    rm -rf r
    cp -r whole r
    [ -z "${1:-}" ] || rm "r/checkpoints/$newest"
}
resume() {
    run "$1" train --resume --out r --data moved --threads 1 --quiet
}
whole() {
    for file in model last; do cmp r/$file.safetensors whole/$file.safetensors || fail "other bits in $file"; done
    run 0 info r
}

# The pictures elsewhere; what the run was begun with may not be given anew.
fresh back
run 1 train --resume --out r --quiet
resume 0
whole
run 2 train --resume --out r --data moved --batch 8

# run.json empty, or gone.
for damage in ": >r/run.json" "rm r/run.json"; do
    fresh back
    eval "$damage"
    resume 0
    says err "run.json" "its copy"
    whole
done

# A model that the state gives again.
for file in model last; do
    fresh
    head -c 100 whole/$file.safetensors >r/$file.safetensors
    run 1 info r/$file.safetensors
    "$program" train --resume --out r --data moved --quiet >out 2>err
    code=$?
    # Only the best of an earlier epoch is lost, and then the code says so.
    [ $code -eq 0 ] && whole
    [ $code -eq 0 ] || says err "model.safetensors" "no epoch can take its place"
done
# One byte of it changed.
fresh back
printf x | dd of=r/model.safetensors bs=1 seek=5000 conv=notrunc 2>/dev/null
resume 0
run 0 info r/model.safetensors

# The newest checkpoint cannot be read: the one before it leads to the same bits.
fresh
rm "r/checkpoints/$newest"
ln -s loop "r/checkpoints/$newest"
ln -s "$newest" r/checkpoints/loop
"$program" train --resume --out r --data moved --quiet >out 2>err
says err "$newest: cannot open"
exit 0
