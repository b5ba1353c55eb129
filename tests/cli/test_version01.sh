# version01: what version 0.1 wrote opens, and goes on to the same bits. The files in
# tests/vectors/version_0.1 were written by it (commit e315978, DEEPER_ISA=portable):
#   deeper train --data set --arch "$arch" --size 32 --batch 4 --epochs 40 --threads 1 --keep 1
#     --out run                           ended by a signal in its second epoch
#   deeper eval -m run/model.safetensors --data set --save-probs answers --crops 10
#   DEEPER_ISA=avx2 deeper tune --arch googlenet:width=0.0625,stem=small --size 32 -o tuning.json
. "${0%/*}/common.sh"
old=$SOURCE/tests/vectors/version_0.1
export DEEPER_ISA=portable

# The data set that the run was begun with.
for class in 0 1; do
    mkdir -p set/class$class
    for i in 0 1 2 3 4 5 6 7; do
        awk -v c=$class -v i=$i 'BEGIN {
            print "P3 16 16 255"
            for (p = 0; p < 768; p++)
                print (p * (7 + c * 6) + i * 31 + int(p / 48) * c * 17) % 256
        }' >set/class$class/$i.ppm
    done
done

# values FILE: the digest of a safetensors file's values, without its header.
values() {
    tail -c +$((9 + $(od -An -tu8 -N8 "$1"))) "$1" | sha256sum | cut -c1-64
}

# The unbroken run of 0.1 ended in these weights.
cp -r "$old/run" run
run 0 train --resume --out run --quiet
same db27714ac0d2912d5831f96c8bf775761a568a1cba410b6f3f841050c699e62e "$(values run/last.safetensors)"
same e888ff7e74a77d434134432e3f927ef0c871d92081e23b15f68740d715d73873 "$(values run/model.safetensors)"

# Its model, what was saved of its answers, and its tuning.
run 0 info "$old/run/model.safetensors"
says out "sound"
run 0 eval --probs "$old/answers" --crops 10 --json
same "16	0.5	1.0	0.693829157" "$(get images top1 top5 loss)"
run 0 eval -m "$old/run/model.safetensors" --data set --crops 10 --json
same "16	0.5	1.0	0.693829157" "$(get images top1 top5 loss)"
cp "$old/answers" answers
run 0 eval -m "$old/run/model.safetensors" --data set --crops 10 --save-probs answers --resume
cmp -s answers "$old/answers" || fail "other answers than those of 0.1"
run 0 info "$old/tuning.json"
says out "avx2"
