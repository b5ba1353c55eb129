# numbers: a model whose weights are no numbers gives no results, and every command says so.
. "${0%/*}/common.sh"
small_model sound.safetensors
# As version 0.1 wrote it, without a checksum that would see the change first.
LC_ALL=C sed -i s/deeper.sum/deeper.old/ sound.safetensors
mkdir -p set/n01 set/n02
picture set/n01/red.ppm 255 0 0
picture set/n02/green.ppm 0 255 0
size=$(wc -c <sound.safetensors)
for value in '\000\000\300\177' '\000\000\200\377'; do # NaN, -infinity: the last value of the file
    cp sound.safetensors model.safetensors
    printf "$value" | dd of=model.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>dd.txt
    run 1 info model.safetensors
    says err "loss3/classifier.bias" "not a finite number"
    lacks out sound
done

printf '\000\000\300\177' | dd of=model.safetensors bs=1 seek=$((size - 4)) conv=notrunc 2>dd.txt
run 1 classify --model model.safetensors --json set
lacks out top
says err "red.ppm" "green.ppm" "not a number"
run 1 eval --model model.safetensors --data set --json
says err "red.ppm" "green.ppm" "not a number"
lacks out top1
run 1 features --model model.safetensors --layer loss3/classifier --out f.npz set
says err "red.ppm" "not a number"
run 1 features --model model.safetensors --layer pool5/7x7_s1,loss3/classifier --out f.npz set
says err "value 4 of layer 2 is not a number"
[ ! -e f.npz ] || fail "features that are no numbers"
run 1 verify model.safetensors --against model.safetensors
says err "not a number on either side"
run 1 convert model.safetensors model.npz
says err "loss3/classifier.bias" "not a finite number"
[ ! -e model.npz ] || fail "a converted model that is of no use"
run 1 bench --model model.safetensors --seconds 0.01
says err "loss3/classifier.bias" "not a finite number"
run 1 train --data set --val set --init model.safetensors --out run
says err "model.safetensors" "loss3/classifier.bias" "not a finite number"
[ ! -e run ] || fail "a run from a model that is of no use"
run 0 info sound.safetensors
says out sound
run 0 classify --model sound.safetensors --json set
lines out 2
run 0 verify sound.safetensors --against sound.safetensors
